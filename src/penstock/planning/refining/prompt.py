"""What a tool is told about a draft."""

from __future__ import annotations

from penstock.planning.refining.api import ANSWER_FILE
from penstock.planning.refining.document import DraftDocument

_TEXT = """\
You are reviewing a plan of work for the git repository in this folder.

The file {file} holds the plan as JSON: {workstreams} workstreams that AI coding tools will do in \
parallel where nothing speaks against it, and {gaps} groups of items of which nobody knows the \
files. Read the repository where that helps, then edit {file} in place so that the plan gets better. \
Change no other file. When nothing can be made better, leave it as it is.

What you may do

- Correct `files_scope` (files that exist) and `files_create` (files that are to be made; a \
workstream that creates a file has it in both). A workstream may touch nothing but these.
- Say what the items under `needs_scope` are about, by `files_scope` and `files_create` of their \
entry; where they are about different files, split the entry into several, each item in one of them. \
Leave both empty where you cannot tell.
- Add to `depends_on` what must be done before, and to `acceptance_tests` what shall hold, in words.
- Make tasks clearer; each still holds the words of its item.
- Say which workstreams may not run together, by one `conflict_group`.

What is refused

- Items that are dropped, named twice, or taken from where they are.
- Workstreams that are added or dropped, other `id`s or `gate`s, and changes in the table `items`.
- Paths that do not exist and are not to be created, that lead out of the repository, or into .git.
- A path, dependency, conflict group or acceptance that the source states and that is left out.
- Acceptance tests that are commands.
- More than {limit} files in a workstream; a cycle of dependencies; workstreams that could run at \
the same time and share a file.
- Fields that the file does not have now.
"""


def instructions(document: DraftDocument, *, limit: int) -> str:
    """Return the prompt for a draft that lies in `ANSWER_FILE`; `limit` is the files of a workstream."""
    return _TEXT.format(
        file=ANSWER_FILE,
        workstreams=len(document.workstreams),
        gaps=len(document.needs_scope),
        limit=limit,
    )

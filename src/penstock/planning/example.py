"""The bundle that `penstock init` puts into a repository."""

from __future__ import annotations

from typing import Final

EXAMPLE_FILE_NAME: Final = "ws-example.json"

_TEXT: Final = """\
// A workstream bundle: one piece of work for one tool, in a worktree and branch of its own.
// Comments are allowed. Check it with `penstock validate`, try it with
// `penstock run ws-example --dry-run`, run it with `penstock run ws-example`.
{
  "id": "ws-example",                  // unique: ws- and then a-z, 0-9, -
  "openspec_change": "example",        // the change it belongs to, any text
  "ccpm_issue": 1,                     // the issue it belongs to, a number or a text
  "gate": 1,                           // gate 2 starts when all of gate 1 is done

  // What it may touch. Files, directories ("docs/") and globs ("src/**/*.py"); an edit
  // anywhere else fails the workstream.
  "files_scope": ["penstock-example.md"],
  "files_create": [],

  // What the tool is told to do, and how it is judged. An acceptance test that begins with a
  // known program (pytest, python, npm, make, ...) is run; any other text goes into the prompt.
  "tasks": ["Write penstock-example.md: three lines on what this repository is for"],
  "acceptance_tests": ["penstock-example.md says what this repository is for"],

  // Who does it: aider, claude-cli, codex, a profile of config/tool_profiles.json, or the
  // built-in "scripted", which needs no key and no network and plays the turns below.
  "tool": "scripted",
  "metadata": {
    "scripted": [
      {"edits": {"penstock-example.md": "# Example\\n\\nWritten by the scripted tool.\\n"}}
    ]
  },

  // "depends_on": ["ws-other"],       // these must be done first
  // "conflict_group": "migrations",   // one at a time of all that name the same group
  // "max_cost_usd": 0.5,
  "kind": "docs"
}
"""


def example_bundle() -> str:
    """Return a commented bundle, ready to run, that explains the fields used most."""
    return _TEXT

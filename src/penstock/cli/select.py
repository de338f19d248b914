"""Which run and workstream a word on the command line means."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.errors import NotFoundError, UsageError
from penstock.model.records import Run, Workstream
from penstock.store.api import Journal

PAGE = 200
SHOWN = 10


def find_run(journal: Journal, word: str) -> Run:
    """Return the run of that id, the newest for `latest`, else the one whose id begins so.

    Raises NotFoundError listing the known runs, UsageError when several begin so.
    """
    if word == "latest":
        newest = journal.list_runs(limit=1)
        if newest:
            return newest[0]
        raise NotFoundError("there are no runs yet", hint="penstock run WS_ID")
    found = []
    for run in all_runs(journal):
        if run.run_id == word:
            return run
        if word and run.run_id.startswith(word):
            found.append(run)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{word!r} could be any of: {_ids(found)}", hint="Give more of the id.")
    raise _unknown(journal, word)


def find_workstream(journal: Journal, run: Run, word: str) -> Workstream:
    """Return a workstream of a run by its id, with or without `ws-`, or a unique beginning of it.

    Raises NotFoundError listing those of the run.
    """
    known = journal.list_workstreams(run.run_id)
    for name in (word, f"ws-{word}"):
        exact = [w for w in known if w.ws_id == name]
        if exact:
            return exact[0]
        near = [w for w in known if word and w.ws_id.startswith(name)]
        if len(near) == 1:
            return near[0]
    names = ", ".join(w.ws_id for w in known) or "none"
    raise NotFoundError(
        f"there is no workstream {word!r} in {run.run_id} (it has: {names})",
        hint=f"penstock status {run.run_id}",
    )


def all_runs(journal: Journal) -> Iterator[Run]:
    """Yield every run, newest first, a page at a time."""
    offset = 0
    while page := journal.list_runs(limit=PAGE, offset=offset):
        yield from page
        offset += len(page)


def _unknown(journal: Journal, word: str) -> NotFoundError:
    known = journal.list_runs(limit=SHOWN)
    if not known:
        return NotFoundError(
            f"there is no run {word!r}: there are no runs yet", hint="penstock run WS_ID"
        )
    return NotFoundError(
        f"there is no run {word!r} (known: {_ids(known)})", hint="penstock status lists all runs"
    )


def _ids(runs: list[Run]) -> str:
    more = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    return ", ".join(run.run_id for run in runs[:SHOWN]) + more

"""GitHub through its own program `gh`, with the login that the user gave it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from penstock.forge.api import Answer, Issue, Labels
from penstock.process.api import Command, End, Outcome, Stop
from penstock.process.environment import child_environment, find_executable
from penstock.process.run import run

LIMIT_S: Final = 15.0
"""How long one call may take (s)."""
GRACE_S: Final = 1.0
KEPT: Final = 4000
LONGEST: Final = 300
NO_LOGIN: Final = 4
"""What `gh` exits with when nobody is logged in."""
LOGIN: Final = (
    "GH_*", "GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "DBUS_SESSION_BUS_ADDRESS",
)  # fmt: skip
"""What `gh` finds its login and host by; the last one leads to the keyring."""
_QUIET: Final = {
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "GH_NO_EXTENSION_UPDATE_NOTIFIER": "1",
    "NO_COLOR": "1",
    "CLICOLOR": "0",
}


class Gh:
    """An IssueTracker over `gh`, which is looked for on PATH and run in the folder `root`."""

    def __init__(self, root: Path, *, limit_s: float = LIMIT_S) -> None:
        self._root = root
        self._limit_s = limit_s
        self._env = child_environment(keep=LOGIN, extra=_QUIET)
        self._stop = Stop()

    def comment(self, issue: Issue, body: str) -> Answer:
        """Add a comment; its text goes through a file of ours, not through the argument list."""
        return self._call(["issue", "comment", *_named(issue), "--body-file", "-"], body)

    def relabel(self, issue: Issue, labels: Labels) -> Answer:
        """Change the labels, which must be there already."""
        words = [word for name in labels.add for word in ("--add-label", name)]
        words += [word for name in labels.remove for word in ("--remove-label", name)]
        return self._call(["issue", "edit", *_named(issue), *words])

    def stop(self) -> None:
        """End what is under way at once, and start nothing any more."""
        self._stop.ask()
        self._stop.ask()

    def _call(self, words: Sequence[str], body: str = "") -> Answer:
        found = find_executable("gh", self._env)
        if found is None:
            return Answer(ok=False, reason="gh is not installed", final=True)
        try:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="replace") as file:
                file.write(body)
                file.flush()
                return _answer(self._run((str(found), *words), Path(file.name)))
        except OSError as error:
            return Answer(ok=False, reason=f"the text cannot be written: {error.strerror}")

    def _run(self, argv: tuple[str, ...], body: Path) -> Outcome:
        command = Command(
            argv=argv,
            cwd=self._root,
            env=self._env,
            stdin=body,
            wall_s=self._limit_s,
            grace_s=GRACE_S,
            keep_bytes=KEPT,
        )
        return run(command, self._stop)


def _named(issue: Issue) -> list[str]:
    where = [] if issue.repository is None else ["--repo", issue.repository]
    return [str(issue.number), *where]


def _answer(outcome: Outcome) -> Answer:
    if outcome.end is End.EXITED and outcome.exit_code == 0:
        return Answer(ok=True)
    if outcome.timed_out:
        return Answer(ok=False, reason=f"gh took over {outcome.duration_s:.0f} s", final=True)
    said = " ".join((outcome.error_text or outcome.text or outcome.error).split())
    end = "" if outcome.exit_code is None else f"exit code {outcome.exit_code}"
    reason = ": ".join(filter(None, (f"gh {end or outcome.end.value}", said)))
    final = outcome.end is not End.EXITED or outcome.exit_code == NO_LOGIN
    return Answer(ok=False, reason=reason[:LONGEST], final=final)

"""What a look at the machine and the repository finds."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class State(StrEnum):
    """How things stand with one piece of the scaffold."""

    PRESENT = "present"
    CREATED = "created"
    MISSING = "missing"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of the scaffold; `path` is relative to the repository's top, for people."""

    path: str
    what: str
    state: State


class FoundCli(msgspec.Struct, frozen=True, kw_only=True):
    """One AI coding CLI. `path` None = not installed; `version` None = it would not say;
    `install` is the command that brings it."""

    tool_id: str
    executable: str
    install: str
    path: str | None = None
    version: str | None = None


class InitReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock init` did or found; `problems` keep runs from starting."""

    root: str
    pieces: tuple[Piece, ...]
    clis: tuple[FoundCli, ...]
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is missing: all pieces, one CLI at least, no problem."""
        complete = all(piece.state is not State.MISSING for piece in self.pieces)
        return complete and not self.problems and any(cli.path for cli in self.clis)


class HookState(StrEnum):
    """Whose pre-commit hook there is."""

    OURS = "ours"
    FOREIGN = "foreign"
    ABSENT = "absent"


class HookChange(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to the pre-commit hook.

    `path` is the hook's file. `before` is how it stood. `kept` is where the hook of another tool
    lies that runs first, None when there is none; `restored`: it is the hook again.
    """

    path: str
    before: HookState
    kept: str | None = None
    restored: bool = False


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """A block of ports with its temporary folder whose holder is dead, or has let go of it.

    `path` is absolute. `run_id` and `ws_id` are None when it is not known whose it was.
    """

    path: str
    port: int
    run_id: str | None
    ws_id: str | None


class Leftovers(Protocol):
    """What dead processes hold of ports and temporary files."""

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what nobody holds any more, of this repository or of unknown origin."""
        ...

    def free(self, leftover: Leftover) -> bool:
        """Remove a leftover; False when somebody holds it by now, or it is gone."""
        ...


class Isolation(Protocol):
    """Keeps workstreams that run at the same time out of each other's ports and temporary files."""

    def take(self, run_id: str, ws_id: str) -> dict[str, str]:
        """Return the variables of a workstream: PENSTOCK_PORT_BASE, PENSTOCK_PORT_COUNT, and the
        temporary folder in TMPDIR, TEMP and TMP.

        The same until given back. Raises EnvironmentProblem when there is no free block of ports or
        no place for the folder.
        """
        ...

    def give_back(self, run_id: str, ws_id: str) -> None:
        """Remove the temporary folder and free the ports; harmless when nothing was taken."""
        ...

    def recover(self) -> tuple[str, ...]:
        """Free what dead processes held, and return a line for each."""
        ...

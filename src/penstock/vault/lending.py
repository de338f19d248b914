"""Which tool is given which secrets: those that its profile names, and none besides."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import msgspec

from penstock.errors import SecretsError
from penstock.process.environment import Loan, lending

_UNREAD = "(in the vault)"
"""Stands for a value where only is asked whether there is one."""


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets that a tool may have.

    `wanted` are those that its adapter asks for. `stated` is what the user's configuration says
    instead, None where it says nothing: then nothing else is handed on, from wherever it comes.
    """

    wanted: tuple[str, ...] = ()
    stated: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that it may have."""
        return self.wanted if self.stated is None else self.stated


class Source(Protocol):
    """Where secrets are read."""

    def listed(self) -> Collection[str]:
        """Return the keys of all, asking nobody. Raises SecretsError."""
        ...

    def values(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return the values of those keys that are listed. Raises SecretsError."""
        ...


Record = Callable[[str, tuple[str, ...], str | None, str | None], None]
"""Hears of each reading: tool, names, run and workstream."""


class Lender:
    """Lends tools their secrets while they are started. Threads may share it."""

    def __init__(
        self,
        source: Source,
        naming: Callable[[str], Naming],
        record: Record,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Take the vault, who may have what, who hears of it, and our environment (None: as it is)."""
        self._source = source
        self._naming = naming
        self._record = record
        self._environ = os.environ if environ is None else environ

    @contextmanager
    def turn(
        self, tool_id: str, run_id: str | None = None, ws_id: str | None = None
    ) -> Iterator[None]:
        """Lend a tool its secrets while the block starts it; what is read is recorded first.

        Raises SecretsError when a secret that it is to have cannot be read.
        """
        naming = self._naming(tool_id)
        values = self._source.values(self._lacking(naming)) if naming.names else {}
        if values:
            self._record(tool_id, tuple(values), run_id, ws_id)
        with lending(self._loan(naming, values)):
            yield

    @contextmanager
    def glance(self, tool_id: str) -> Iterator[None]:
        """Let the block see which secrets a tool would have, without any value."""
        with lending(self._loan(self._naming(tool_id), dict.fromkeys(self.kept(tool_id), _UNREAD))):
            yield

    def kept(self, tool_id: str) -> tuple[str, ...]:
        """Return the secrets that the vault has for a tool; none where it cannot be looked into."""
        names = self._naming(tool_id).names
        try:
            listed = self._source.listed() if names else ()
        except SecretsError:
            return ()
        return tuple(name for name in names if name in listed)

    def _lacking(self, naming: Naming) -> tuple[str, ...]:
        return tuple(name for name in naming.names if not self._environ.get(name))

    def _loan(self, naming: Naming, values: Mapping[str, str]) -> Loan:
        if naming.stated is None:
            return Loan(values=values)
        withheld = {*naming.wanted, *self._listed()} - set(naming.stated)
        return Loan(values=values, named=naming.stated, withheld=frozenset(withheld))

    def _listed(self) -> Collection[str]:
        try:
            return self._source.listed()
        except SecretsError:
            return ()

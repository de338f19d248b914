"""The vault: which backend takes fresh secrets, and where each one that is there really lies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from penstock.errors import PenstockError, SecretsError
from penstock.masking import learn
from penstock.model.times import iso
from penstock.vault.api import (
    Backend,
    KnownSecrets,
    SecretInfo,
    check_key,
    check_value,
)
from penstock.vault.choice import Choice
from penstock.vault.files import own_folder, writing
from penstock.vault.metadata import Entries, Entry, Metadata
from penstock.vault.references import check_reference, follow

REFERENCE = "reference"


class LayeredVault:
    """Secrets over all backends: fresh ones go to the chosen one, each is read where it lies.

    A backend is chosen when it is first needed: without a secret nothing is asked.
    """

    def __init__(self, choice: Choice, folder: Path, environ: Mapping[str, str]) -> None:
        self.choice = choice
        self.folder = folder
        self.environ = environ
        self._metadata = Metadata(folder)
        self._followed: dict[str, str] = {}

    @property
    def backend(self) -> str:
        """The name of the backend that takes fresh secrets."""
        return self._chosen.name

    @cached_property
    def _chosen(self) -> Backend:
        return self.choice.chosen()

    # -- changing --------------------------------------------------------------------------
    def set(self, key: str, value: str, description: str | None = None) -> None:
        """Keep a value under a key, over what was there; the description stays when None."""
        check_key(key)
        check_value(key, value)
        learn([value])
        with self._changing() as entries:
            before = entries.get(key)
            entry = self._noted(before, self.backend, description)
            if before is None:  # so that no value is ever without an entry, even after a crash
                self._metadata.write({**entries, key: entry})
            try:
                self._chosen.set(key, value)
            except SecretsError:
                self._metadata.write(entries)
                raise
            self._metadata.write({**entries, key: entry})
            self._remove_elsewhere(key, before, self._chosen.name)

    def refer(self, key: str, reference: str, description: str | None = None) -> None:
        """Keep where a value comes from (`op://`, `env:`, `cmd:`) instead of the value."""
        check_key(key)
        check_reference(reference)
        with self._changing() as entries:
            before = entries.get(key)
            entry = self._noted(before, REFERENCE, description, reference)
            self._metadata.write({**entries, key: entry})
            self._remove_elsewhere(key, before, REFERENCE)

    def delete(self, key: str) -> bool:
        """Remove a secret and what is known of it; tell whether there was one."""
        check_key(key)
        with self._changing() as entries:
            entry = entries.pop(key, None)
            home = self._home(key, entry)
            found = home.delete(key) if home is not None else entry is not None
            if entry is not None:
                self._metadata.write(entries)
            self._followed.pop(key, None)
            return found or entry is not None

    @contextmanager
    def _changing(self) -> Iterator[Entries]:
        """Hold the folder's lock, with the entries as they are then."""
        with writing(self.folder):
            yield self._metadata.read()

    def _noted(
        self,
        before: Entry | None,
        backend: str,
        description: str | None,
        reference: str | None = None,
    ) -> Entry:
        now = iso(time.time())
        known = before or Entry(created_at=now)
        return Entry(
            description=known.description if description is None else description or None,
            created_at=known.created_at or now,
            updated_at=now,
            backend=backend,
            reference=reference,
        )

    def _remove_elsewhere(self, key: str, before: Entry | None, home: str) -> None:
        """Remove the value that an earlier backend still has."""
        self._followed.pop(key, None)
        if before is None or before.backend in (None, home, REFERENCE):
            return
        try:
            self.choice.named(before.backend).delete(key)
        except SecretsError as error:
            raise SecretsError(
                f"{key} is kept anew, but the {before.backend} still has its former value: {error}",
                hint=error.hint,
            ) from error

    # -- reading ---------------------------------------------------------------------------
    def get(self, key: str) -> str | None:
        """Return the value, None when there is no such secret."""
        check_key(key)
        entries = self._entries()
        if key in self._all_keys(entries):
            return self._read(entries, [key]).get(key)
        return self._chosen.get([key]).get(key)  # a keyring may have it from somebody else

    def values(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return the values of those keys (None: of all) that are listed."""
        entries = self._entries()
        listed = self._all_keys(entries)
        wanted = set(listed if keys is None else keys)
        return self._read(entries, [key for key in listed if key in wanted])

    def _read(self, entries: Entries, wanted: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for home, names in self._by_home(entries, wanted):
            found |= home.get(names)
        for key in wanted:
            if key in entries and (reference := entries[key].reference):
                found[key] = self._follow(key, reference)
        learn(found.values())  # from here on they leave nowhere
        return {key: found[key] for key in wanted if key in found}

    def listed(self) -> tuple[str, ...]:
        """Return the keys of all secrets, sorted, without asking anybody for anything."""
        return tuple(self._all_keys(self._entries()))

    def infos(self) -> tuple[SecretInfo, ...]:
        """Return what is known of each secret, sorted by key. No value is shown."""
        entries = self._entries()
        wanted = self._all_keys(entries)
        there: dict[str, bool | None] = {}
        for home, names in self._by_home(entries, wanted):
            there |= _presence(home, names)
        return tuple(self._info(key, entries.get(key), there.get(key)) for key in wanted)

    def info(self, key: str) -> SecretInfo | None:
        """Return what is known of one secret, None when there is none."""
        check_key(key)
        entries = self._entries()
        entry = entries.get(key)
        home = self._home(key, entry)
        if home is None:
            return self._info(key, entry, None)
        there = _presence(home, [key])[key]
        return self._info(key, entry, there) if entry is not None or there else None

    def known(self) -> KnownSecrets:
        """Return what can be read without asking anybody, and never raise for what cannot."""
        found: dict[str, str] = {}
        problems: list[str] = []

        def look(backend: Backend, keys: Iterable[str] | None) -> None:
            try:
                found.update(backend.peek(backend.listed() if keys is None else keys))
            except SecretsError as error:
                problems.append(str(error))

        for backend in self.choice.listing():
            look(backend, None)
        try:
            entries = self._entries()
            for home, keys in self._by_home(entries, sorted(set(entries) - set(found))):
                look(home, keys)
            found |= self._known_references(entries)
        except PenstockError as error:
            problems.append(str(error))
        return KnownSecrets(values=found, problem="; ".join(dict.fromkeys(problems)) or None)

    def _known_references(self, entries: Entries) -> dict[str, str]:
        """Return referenced values that no program need be started for, and those already read."""
        found = dict(self._followed)
        for key, entry in entries.items():
            name = (entry.reference or "").removeprefix("env:")
            if entry.reference and name in self.environ:
                found[key] = self.environ[name]
        return found

    def _info(self, key: str, entry: Entry | None, there: bool | None) -> SecretInfo:
        if entry is None:
            home = self._home(key, None)
            return SecretInfo(key=key, backend=home.name if home else None, exists=there)
        exists = None if entry.reference else there
        return SecretInfo(
            key=key,
            description=entry.description,
            created_at=entry.created_at,
            updated_at=entry.updated_at,
            backend=entry.backend or self.backend,
            exists=exists,
            reference=entry.reference,
        )

    def _follow(self, key: str, reference: str) -> str:
        if key not in self._followed:
            self._followed[key] = follow(reference, self.environ)
        return self._followed[key]

    def _entries(self) -> Entries:
        if not self.folder.exists():
            return {}
        own_folder(self.folder)
        return self._metadata.read()

    def _all_keys(self, entries: Entries) -> list[str]:
        listed = {key for backend in self.choice.listing() for key in backend.listed()}
        return sorted(listed.union(entries))

    def _by_home(
        self, entries: Entries, keys: Iterable[str]
    ) -> Iterator[tuple[Backend, list[str]]]:
        """Yield each backend with those of the keys that lie there."""
        homes: dict[str, tuple[Backend, list[str]]] = {}
        for key in keys:
            home = self._home(key, entries.get(key))
            if home is not None:
                homes.setdefault(home.name, (home, []))[1].append(key)
        yield from homes.values()

    def _home(self, key: str, entry: Entry | None) -> Backend | None:
        """Return the backend that a key lies in, None for a reference."""
        if entry is not None and entry.reference:
            return None
        if entry is not None and entry.backend:
            return self.choice.named(entry.backend)
        for backend in self.choice.listing():
            if key in backend.listed():
                return backend
        return self._chosen


def _presence(home: Backend, keys: list[str]) -> dict[str, bool | None]:
    """Tell which keys have a value; None where the backend cannot say without asking its user."""
    try:
        found = home.peek(keys)
    except SecretsError:
        return dict.fromkeys(keys)
    return {key: key in found for key in keys}

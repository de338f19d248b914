"""Secrets that are known by name before they have values: entered, and taken back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from penstock.errors import SecretsError
from penstock.model.times import iso
from penstock.vault.api import Vault, check_key
from penstock.vault.files import own_folder, writing
from penstock.vault.metadata import Entry, Metadata


class SecretNames:
    """The names in the user's folder. Methods raise SecretsError when it cannot be used."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self._vault = vault
        self._folder = folder
        self._metadata = Metadata(folder)

    @property
    def path(self) -> Path:
        """The file of what is known of secrets."""
        return self._metadata.path

    def known(self) -> frozenset[str]:
        """Return the names that are entered."""
        if not self._folder.exists():
            return frozenset()
        own_folder(self._folder)
        return frozenset(self._metadata.read())

    def valueless(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return those of the names that have no value, or none that can be seen now."""
        wanted = tuple(keys)
        try:
            infos = self._vault.infos() if wanted else ()
        except SecretsError:
            return wanted
        there = {info.key for info in infos if info.exists or info.reference}
        return tuple(key for key in wanted if key not in there)

    def enter(self, descriptions: Mapping[str, str]) -> None:
        """Enter names without values, each with what it is; those that are known stay as they are.

        Raises UsageError for one that no secret can have.
        """
        now = iso(time.time())
        fresh = {
            check_key(key): Entry(description=text, created_at=now)
            for key, text in descriptions.items()
        }
        with writing(self._folder):
            known = self._metadata.read()
            if fresh.keys() - known.keys():
                self._metadata.write({**fresh, **known})

    def withdraw(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Remove those of the names that never got a value or a reference; return them."""
        wanted = tuple(keys)
        if not wanted or not self._folder.exists():
            return ()
        empty = frozenset(self.valueless(wanted))
        with writing(self._folder):
            known = self._metadata.read()
            gone = tuple(
                key for key in wanted if key in empty and key in known and not known[key].backend
            )
            if gone:
                self._metadata.write({k: v for k, v in known.items() if k not in gone})
        return gone

"""What is known of each secret besides its value: `secrets_metadata.json` in the user's folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from penstock.errors import SecretsError
from penstock.typed import typed_json
from penstock.vault.files import read_private, write_private

FILE_NAME = "secrets_metadata.json"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One secret. Times are UTC in ISO 8601; `backend` None is whatever is in use."""

    description: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    backend: str | None = None
    reference: str | None = None


Entries = dict[str, Entry]


class Metadata:
    """The entries on file. Whoever changes them holds the folder's lock (see `files.writing`)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def read(self) -> Entries:
        """Return the entries by key. Raises SecretsError for a file that cannot be used."""
        data = read_private(self.path)
        if data is None:
            return {}
        try:
            return typed_json(data, Entries)
        except msgspec.DecodeError as error:
            raise SecretsError(
                f"{self.path} is damaged: {error}",
                hint=f"Move {self.path} away: values stay, their descriptions are lost.",
            ) from error

    def write(self, entries: Entries) -> None:
        """Replace the entries. Raises SecretsError."""
        ordered = dict(sorted(entries.items()))
        text = msgspec.json.format(msgspec.json.encode(ordered), indent=2)
        write_private(self.path, text + b"\n")

"""Secrets in one file encrypted with age (age-encryption.org/v1) to a key in a file of its own.

The key file has the form that `age-keygen` writes, so `age -d -i vault.key vault.age` opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penstock.errors import EnvironmentProblem, SecretsError
from penstock.folders import why_others_write
from penstock.typed import typed_json
from penstock.vault.files import own_folder, read_private, write_private

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

FILE_NAME = "vault.age"
KEY_NAME = "vault.key"
IDENTITY_VARIABLE = "AIM_VAULT_IDENTITY"
"""Moves the key file, for example to a medium that backups do not cover."""
_MAGIC = b"age-encryption.org/"
_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how such a line begins


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is encrypted."""

    version: int = 1
    secrets: dict[str, str] = msgspec.field(default_factory=dict)


class AgeBackend:
    """Keeps secrets in an age file. Writers hold the lock of the user's folder."""

    name = "age"
    writable = True

    def __init__(self, path: Path, key_path: Path) -> None:
        self.path = path
        self.key_path = key_path
        self._opened: tuple[bytes, _Content] | None = None

    def problem(self) -> str | None:
        """Return why it cannot be used: no pyrage, or files that are not fit for secrets."""
        try:
            import pyrage  # noqa: F401 - only whether it can be loaded
        except ImportError as error:
            return f"pyrage cannot be loaded: {error}"
        try:
            self._content()
        except EnvironmentProblem as error:
            return f"{error}. {error.hint or ''}".strip()
        return None

    def describe(self) -> str:
        """Say where the file and its key lie."""
        return f"{self.path}, key in {self.key_path}"

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that it has."""
        kept = self._content().secrets
        return {key: kept[key] for key in keys if key in kept}

    def peek(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that it has: nobody is ever asked."""
        return self.get(keys)

    def listed(self) -> tuple[str, ...]:
        """Return its keys."""
        return tuple(self._content().secrets)

    def set(self, key: str, value: str) -> None:
        """Keep a value; the key file is made with the first one."""
        kept = self._content().secrets
        self._write({**kept, key: value})

    def delete(self, key: str) -> bool:
        """Remove a value; tell whether it was there."""
        kept = self._content().secrets
        if key not in kept:
            return False
        self._write({name: value for name, value in kept.items() if name != key})
        return True

    def _content(self) -> _Content:
        """Return what is on file. Raises SecretsError when it cannot be opened."""
        self._require_private_folders()
        data = read_private(self.path)
        if data is None:
            return _Content()
        if self._opened is None or self._opened[0] != data:
            self._opened = (data, self._decrypted(data))
        return self._opened[1]

    def _decrypted(self, data: bytes) -> _Content:
        from pyrage import DecryptError, decrypt

        if not data.startswith(_MAGIC):
            raise SecretsError(
                f"{self.path} is no age file",
                hint="Point environment.secretsVault to another path, or move the file away.",
            )
        try:
            return typed_json(decrypt(data, [self._need_identity()]), _Content)
        except (DecryptError, msgspec.DecodeError) as error:
            raise SecretsError(
                f"{self.path} cannot be opened with {self.key_path}: {error}",
                hint="It is damaged or belongs to another key: put back both from a backup,"
                f" or move {self.path} away to begin an empty vault.",
            ) from error

    def _write(self, kept: Mapping[str, str]) -> None:
        from pyrage import encrypt

        own_folder(self.path.parent)
        recipient = (self._identity() or self._make_identity()).to_public()
        content = _Content(secrets=dict(sorted(kept.items())))
        write_private(self.path, encrypt(msgspec.json.encode(content), [recipient]))

    def _require_private_folders(self) -> None:
        """Refuse folders where others could read along, or put a key of their own in place of ours."""
        folder, key_folder = self.path.parent, self.key_path.parent
        if folder.exists():
            own_folder(folder)
        if key_folder.exists() and (why := why_others_write(key_folder.stat())):
            raise SecretsError(f"the folder {key_folder} {why}", hint=f"chmod go-w {key_folder}")

    def _need_identity(self) -> Identity:
        found = self._identity()
        if found is None:
            raise SecretsError(
                f"{self.path} is there, but its key {self.key_path} is not",
                hint=f"Put the key back from a backup, or set {IDENTITY_VARIABLE} to its path.",
            )
        return found

    def _identity(self) -> Identity | None:
        """Return the key on file, None when there is none."""
        data = read_private(self.key_path)
        return None if data is None else _identity_in(data, self.key_path)

    def _make_identity(self) -> Identity:
        """Make the key file; of two makers one wins."""
        from pyrage.x25519 import Identity

        own_folder(self.key_path.parent)
        made = Identity.generate()
        text = f"# public key: {made.to_public()}\n{made}\n"
        write_private(self.key_path, text.encode(), exclusively=True)
        return self._need_identity()


def _identity_in(data: bytes, path: Path) -> Identity:
    from pyrage import IdentityError
    from pyrage.x25519 import Identity

    lines = data.decode("utf-8", "replace").splitlines()
    found = [line.strip() for line in lines if line.startswith(_SECRET)]
    try:
        if len(found) == 1:
            return Identity.from_str(found[0])
    except IdentityError:
        pass  # said below, without a word of what was in the file
    raise SecretsError(f"{path} holds no age key", hint="Put it back from a backup.")

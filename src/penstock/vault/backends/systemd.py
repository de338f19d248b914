"""Credentials that systemd hands to a service (systemd.exec(5), `LoadCredentialEncrypted=`).

Each is a file in the folder that $CREDENTIALS_DIRECTORY names; we cannot add to them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from penstock.errors import SecretsError
from penstock.vault.api import KEY_PATTERN, LONGEST_VALUE

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"


class SystemdBackend:
    """Reads the credentials of the service that we run in; `folder` None: we run in none."""

    name = "systemd"
    writable = False

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def problem(self) -> str | None:
        """Return why there are none."""
        if self.folder is None:
            return f"{FOLDER_VARIABLE} is not set: this is no systemd service with credentials"
        try:
            found = self.folder.stat()
        except OSError as error:
            return f"{self.folder}: {error.strerror}"
        # access lists of systemd show as bits of the group, so only those of others tell
        if os.name != "nt" and found.st_mode & 0o007:
            return f"{self.folder} is open to others (mode {found.st_mode & 0o777:04o})"
        return None

    def describe(self) -> str:
        """Say where they lie."""
        return f"{self.folder}, read only"

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that there are, without the line end of a last line."""
        names = frozenset(self.listed())
        return {key: self._read(key) for key in keys if key in names}

    def peek(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that it has: nobody is ever asked."""
        return self.get(keys)

    def listed(self) -> tuple[str, ...]:
        """Return the names of credentials that can name a secret."""
        if self.folder is None or self.problem() is not None:
            return ()
        return tuple(sorted(p.name for p in self.folder.iterdir() if KEY_PATTERN.fullmatch(p.name)))

    def set(self, key: str, value: str) -> None:  # noqa: ARG002 - the port's signature
        """Refuse: systemd gives them, the unit file names them."""
        raise _read_only(key)

    def delete(self, key: str) -> bool:
        """Refuse what is there; tell that there is none otherwise."""
        if key in self.listed():
            raise _read_only(key)
        return False

    def _read(self, key: str) -> str:
        path = Path(self.folder or "", key)
        try:
            with path.open("rb") as file:
                data = file.read(LONGEST_VALUE + 1)
            if len(data) > LONGEST_VALUE:
                raise SecretsError(f"{path} is too long for a secret")
            return data.decode("utf-8").removesuffix("\n")
        except OSError as error:
            raise SecretsError(f"cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise SecretsError(f"{path} is no text in UTF-8") from None


def _read_only(key: str) -> SecretsError:
    return SecretsError(
        f"{key} cannot be changed: systemd credentials are read only",
        hint="Change the unit's LoadCredentialEncrypted=, or name a vault with AIM_VAULT=age.",
    )

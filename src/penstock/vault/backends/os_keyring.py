"""Secrets in the keyring of the desktop or operating system, through the library `keyring`.

Only a keyring that really encrypts and really answers counts: a Secret Service (GNOME Keyring,
KeePassXC), KWallet, macOS, Windows, or one of another package that the user's configuration of
`keyring` names. Those that keep plain text or nothing are refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from penstock.errors import SecretsError
from penstock.vault.limits import within

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "aim-plus"
LOOK_S = 2.0
"""Seconds for finding out whether there is a keyring; nobody is asked for anything meanwhile."""
ANSWER_S = 60.0
"""Seconds for reading or writing: the keyring may ask its user for the password."""
_WORTHLESS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt.")
_PLAIN = ("plaintext", "uncrypted")
_FREEDESKTOP = "keyring.backends.SecretService"

T = TypeVar("T")


class OsKeyring:
    """Keeps each secret as a password of the service `aim-plus`."""

    name = "keyring"
    writable = True

    def __init__(self, *, look_s: float = LOOK_S, answer_s: float = ANSWER_S) -> None:
        """Take time limits in seconds; see LOOK_S and ANSWER_S."""
        self._look_s = look_s
        self._answer_s = answer_s
        self._found: KeyringBackend | None = None

    def problem(self) -> str | None:
        """Return why no keyring can be used."""
        try:
            return within(self._look_s, self._unusable)
        except TimeoutError as error:
            return f"the keyring gives {error}"

    def describe(self) -> str:
        """Name the keyring."""
        found = self._found
        kind = "" if found is None else f" ({type(found).__module__.rpartition('.')[2]})"
        return f"service {SERVICE!r} of the keyring{kind}"

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the values of those keys that it has."""
        return self._ask(lambda: self._read(keys), self._answer_s)

    def peek(self, keys: Iterable[str]) -> dict[str, str]:
        """Return them only when that needs no password and comes at once."""

        def look() -> dict[str, str]:
            keyring = self._keyring()
            if _is_secret_service(keyring) and (why := _service_state()):
                raise _silent(why)
            return self._read(keys)

        return self._ask(look, self._look_s)

    def _read(self, keys: Iterable[str]) -> dict[str, str]:
        keyring = self._keyring()
        found = ((key, keyring.get_password(SERVICE, key)) for key in keys)
        return {key: value for key, value in found if value is not None}

    def set(self, key: str, value: str) -> None:
        """Keep a value, and see that it can be read again."""

        def write() -> bool:
            keyring = self._keyring()
            keyring.set_password(SERVICE, key, value)
            return keyring.get_password(SERVICE, key) == value

        if not self._ask(write, self._answer_s):
            raise SecretsError(
                f"the keyring took {key} but does not give it back",
                hint="aim secrets doctor; or keep it in the age file with AIM_VAULT=age",
            )

    def delete(self, key: str) -> bool:
        """Remove a value; tell whether it was there."""

        def remove() -> bool:
            keyring = self._keyring()
            if keyring.get_password(SERVICE, key) is None:
                return False
            keyring.delete_password(SERVICE, key)
            return True

        return self._ask(remove, self._answer_s)

    def listed(self) -> tuple[str, ...]:
        """Return nothing: keyrings cannot list what one service has."""
        return ()

    def _ask(self, work: Callable[[], T], seconds: float) -> T:
        from keyring.errors import KeyringError

        try:
            return within(seconds, work)
        except TimeoutError as error:
            raise _silent(f"the keyring gives {error}") from error
        except (KeyringError, OSError, RuntimeError, ValueError) as error:
            raise _silent(f"the keyring failed: {type(error).__name__}: {error}") from error
        except _foreign_errors() as error:
            raise _silent(f"the keyring failed: {type(error).__name__}: {error}") from error

    def _keyring(self) -> KeyringBackend:
        if self._found is None:
            self._found = _first_real()
        if self._found is None:
            raise _silent("there is no keyring that keeps secrets encrypted")
        return self._found

    def _unusable(self) -> str | None:
        try:
            if self._found is None:
                self._found = _first_real()
        except (OSError, RuntimeError, ValueError) as error:
            return f"no keyring can be loaded: {error}"
        if self._found is None:
            return "no keyring service is running that keeps secrets encrypted"
        if not _is_secret_service(self._found):
            return None
        state = _service_state()
        if state is None or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            return None  # what is locked can be opened by the user at the prompt
        return f"{state}, and there is no display to ask for its password on"


def _first_real() -> KeyringBackend | None:
    """Return the keyring that is configured, or the best there is, among those worth the name."""
    import keyring

    chosen = keyring.get_keyring()
    members: list[KeyringBackend] = list(getattr(chosen, "backends", [chosen]))
    return next((member for member in members if _is_real(member)), None)


def _is_real(member: KeyringBackend) -> bool:
    kind = type(member)
    if kind.__module__.startswith(_WORTHLESS):
        return False
    return not any(word in kind.__name__.lower() for word in _PLAIN)


def _is_secret_service(member: KeyringBackend) -> bool:
    return type(member).__module__ == _FREEDESKTOP


def _service_state() -> str | None:
    """Return what keeps the Secret Service from answering at once, None when nothing does."""
    try:
        import secretstorage
    except ImportError:  # another system than Linux
        return None
    try:
        with closing(secretstorage.dbus_init()) as connection:
            if secretstorage.Collection(connection).is_locked():
                return "the keyring is locked"
    except secretstorage.exceptions.ItemNotFoundException:
        return "the keyring has no default collection yet"
    except (secretstorage.exceptions.SecretStorageException, OSError, ValueError) as error:
        return f"the keyring does not answer: {error}"
    return None


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Return what the Secret Service's libraries raise that `keyring` does not translate."""
    try:
        from jeepney import DBusErrorResponse
        from secretstorage.exceptions import SecretStorageException
    except ImportError:
        return ()
    return (DBusErrorResponse, SecretStorageException)


def _silent(message: str) -> SecretsError:
    return SecretsError(
        message, hint="Unlock it, see `aim secrets doctor`, or use the age file: AIM_VAULT=age"
    )

"""Which backend takes fresh secrets: the one that is named, else the first that really works."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.errors import SecretsError
from penstock.vault.api import AUTO, VAULT_VARIABLE, Backend, BackendStatus
from penstock.vault.backends.age import FILE_NAME, IDENTITY_VARIABLE, KEY_NAME, AgeBackend
from penstock.vault.backends.os_keyring import OsKeyring
from penstock.vault.backends.systemd import FOLDER_VARIABLE, SystemdBackend

SETTING = "environment.secretsVault"
ORDER = ("keyring", "systemd", "age")
_OPEN_VARIABLE = re.compile(r"%[A-Za-z_][\w()]*%|\$\{?[A-Za-z_]\w*")
_PATH_MARKS = ("/", "\\", "~")


class Choice:
    """The backends of this machine in the order in which they are tried.

    `wish` is `environment.secretsVault`: auto, keyring, systemd, age, or the path of an age file.
    AIM_VAULT beats it. A backend that is named is used or nothing is.
    """

    def __init__(self, wish: str | None, environ: Mapping[str, str], folder: Path) -> None:
        named = environ.get(VAULT_VARIABLE)
        self.source = VAULT_VARIABLE if named else SETTING
        self.wish = (named or wish or AUTO).strip()
        self._path = age_path(self.wish) if _is_path(self.wish) else None
        given = environ.get(FOLDER_VARIABLE)
        key = environ.get(IDENTITY_VARIABLE)
        self._backends: dict[str, Backend] = {
            "keyring": OsKeyring(),
            "systemd": SystemdBackend(Path(given) if given else None),
            "age": AgeBackend(
                self._path or folder / FILE_NAME, _expanded(key) if key else folder / KEY_NAME
            ),
        }

    def chosen(self) -> Backend:
        """Return the backend that takes fresh secrets. Raises SecretsError when there is none."""
        for name in self._candidates():
            if (problem := self._problem(name)) is None:
                return self._backends[name]
        if self.wish == AUTO:
            raise SecretsError("there is no vault to keep secrets in", hint="aim secrets doctor")
        raise SecretsError(
            f"{self.source} says {self.wish!r}, but {problem}",
            hint=f"Mend that, or set {self.source} to one of {', '.join((AUTO, *ORDER))}.",
        )

    def named(self, name: str) -> Backend:
        """Return a backend by name. Raises SecretsError for a name that none has."""
        if name not in self._backends:
            raise SecretsError(
                f"there is no vault {name!r}", hint=f"There are {', '.join(self._backends)}."
            )
        return self._backends[name]

    def listing(self) -> Iterator[Backend]:
        """Yield the backends that can say which keys they have, in order."""
        yield self._backends["systemd"]
        yield self._backends["age"]

    def statuses(self) -> tuple[BackendStatus, ...]:
        """Return what is to be said of each backend, in order; nothing is changed.

        Raises SecretsError for a wish that is no backend.
        """
        return self._statuses(self._candidates())

    def all_statuses(self) -> tuple[BackendStatus, ...]:
        """Return them whatever is wished for: none is chosen."""
        return self._statuses(())

    def _statuses(self, candidates: tuple[str, ...]) -> tuple[BackendStatus, ...]:
        problems = {name: self._problem(name) for name in self._backends}
        usable = [name for name in candidates if problems[name] is None]
        chosen = usable[0] if usable else None
        return tuple(
            BackendStatus(
                name=name,
                usable=problem is None,
                chosen=name == chosen,
                reason=problem or self._backends[name].describe(),
            )
            for name, problem in problems.items()
        )

    def why(self) -> str:
        """Say in words what decides."""
        if self.wish == AUTO:
            return "the first that works"
        return f"{self.source} says {self.wish!r}"

    def _candidates(self) -> tuple[str, ...]:
        """Return the names to try. Raises SecretsError for a wish that is no backend."""
        if self._path is not None:
            return ("age",)
        if self.wish == AUTO:
            return ORDER
        return (self.named(self.wish).name,)

    def _problem(self, name: str) -> str | None:
        if name == "age" and self._path is not None and _OPEN_VARIABLE.search(self.wish):
            return f"{self.wish!r} holds a variable that is not set"
        return self._backends[name].problem()


def age_path(wish: str) -> Path:
    """Return the age file that a path means.

    A `.json` file is the vault of a tool before this one, which only its own account can decrypt:
    the age file beside it is meant, and that file is left alone.
    """
    path = _expanded(wish)
    return path.with_suffix(".age") if path.suffix.lower() == ".json" else path


def _is_path(wish: str) -> bool:
    return any(mark in wish for mark in _PATH_MARKS) or wish.endswith((".age", ".json"))


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise SecretsError(f"{text!r} has no home folder: {error}") from error

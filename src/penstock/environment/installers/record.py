"""What was there before packages were changed, on disk as long as they are being changed.

A process that is killed in the midst of it leaves the file behind. The next one then knows what to put
back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from penstock.environment.api import Manager
from penstock.environment.installers.copies import Copies
from penstock.environment.wholefile import write_whole
from penstock.errors import EnvironmentProblem

Before = dict[Manager, dict[str, str | None]]
NAME = "installing.json"
COPIES = "before"
LOCK = "installing.lock"


class Record:
    """The file of one user, and copies of what was there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._folder = folder
        self.copies = Copies(folder / COPIES)

    def marker(self, manager: Manager) -> str:
        """Return what the commands of a manager bear: each manager's own, for what bears the marker of
        a command that has ended is ended with it."""
        return f"install:{manager.value}:{self._folder}"

    def left(self) -> Before:
        """Return what was there before changes that nobody has ended; empty when all are ended.

        A file that cannot be understood is as good as none: it was never written whole.
        """
        try:
            value = json.loads(self._path.read_bytes())
            return {Manager(name): _versions(own) for name, own in value["before"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def begin(self, before: Before) -> None:
        """Write down what is there before anything is changed. Raises EnvironmentProblem."""
        if not self.left():
            self.copies.drop()  # they would be of another time
        text = json.dumps({"pid": os.getpid(), "before": before}, indent=1)
        try:
            write_whole(self._path, text, 0o600)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot note what is installed in {self._path}: {error.strerror}",
                hint="Free space there, or set AIM_HOME to another folder. Nothing was changed.",
            ) from error

    def end(self) -> None:
        """Forget it: everything is as wished, or as it was."""
        self._path.unlink(missing_ok=True)
        self.copies.drop()


def _versions(value: Mapping[str, object]) -> dict[str, str | None]:
    if not all(item is None or isinstance(item, str) for item in value.values()):
        raise ValueError
    return {name: None if item is None else str(item) for name, item in value.items()}

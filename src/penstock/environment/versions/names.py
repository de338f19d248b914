"""Names of packages: how managers write them, and which ones we hand to a command line."""

from __future__ import annotations

import re

from penstock.environment.api import Manager

_PYTHON = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._, -]+\])?")
_NPM = re.compile(r"(?:@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*", re.IGNORECASE)
_OTHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
MAX_LENGTH = 214
"""The longest name (characters) that npm allows; nobody has longer ones."""


def is_name(manager: Manager, name: str) -> bool:
    """Tell whether a text can name a package: never an option, a path or a URL."""
    shapes = {Manager.NPM: _NPM, Manager.WINGET: _OTHER, Manager.TOOLS: _OTHER}
    return len(name) <= MAX_LENGTH and bool(shapes.get(manager, _PYTHON).fullmatch(name))


def normalised(manager: Manager, name: str) -> str:
    """Return the one spelling of a name: as PEP 503 has it for Python, without extras."""
    if manager in (Manager.PIP, Manager.PIPX, Manager.UV):
        return re.sub(r"[-_.]+", "-", name.split("[", 1)[0]).lower()
    return name.lower() if manager is Manager.WINGET else name

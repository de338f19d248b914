"""Which values are secrets by their names, and which of them no word could be.

Every command needs this when it begins, so nothing else is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
"""An environment variable with one of these in its name holds a secret."""
SHORTEST_CERTAIN = 12


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables whose names say that they are secret, and the passwords of
    the addresses in the others."""
    found: list[str] = []
    for name, value in environ.items():
        if any(word in name.upper() for word in SECRET_NAMES):
            found.append(value)
        elif "://" in value and "@" in value:
            found += re.findall(r"://[^/\s:@]*:([^/\s@]+)(?=@)", value)
    return tuple(found)


def is_certain(text: str) -> bool:
    """Tell whether no word, name or path would be written like this value: it is long enough and
    has letters and digits."""
    return (
        len(text) >= SHORTEST_CERTAIN
        and not text.startswith(("/", "~", "."))
        and any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
    )

"""What is known to be secret, and replacing it in a text that is all there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from penstock.redact.forms import forms
from penstock.redact.literals import (
    Literals,
    Stage,
    WrappedStage,
    flatten,
    has_break,
    wrapped_forms,
)

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
"""An environment variable with one of these in its name holds a secret."""
SHORTEST_CERTAIN = 12
_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)(?=@)")


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables whose names say that they are secret, and the passwords of
    the addresses in the others."""
    found: list[str] = []
    for name, value in environ.items():
        if any(word in name.upper() for word in SECRET_NAMES):
            found.append(value)
        elif "://" in value and "@" in value:
            found += _PASSWORD.findall(value)
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


class Known:
    """Known values in all their forms. `plain` are looked for in a text, `wrapped` in one without
    its ends of lines. What is not asked for is not made."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = frozenset(values)

    @cached_property
    def plain(self) -> Literals:
        """The forms of all values."""
        return Literals(form for value in self.values for form in forms(value))

    @cached_property
    def wrapped(self) -> Literals:
        """The forms of those that can be told where a line ends in them."""
        return Literals(wrapped_forms(self.plain.forms))

    @cached_property
    def certain(self) -> Known:
        """Those that no word, name or path could be."""
        some = frozenset(filter(is_certain, self.values))
        return self if some == self.values else Known(some)

    def stand_in(self, data: bytes) -> bool:
        """Tell whether one of them stands in the data."""
        if self.plain.stand_in(data):
            return True
        return bool(self.wrapped) and has_break(data) and self.wrapped.stand_in(flatten(data).data)

    def replaced(self, text: str) -> str:
        """Return the text without them."""
        if not self.values:
            return text
        data = text.encode("utf-8", "surrogatepass")
        if not self.stand_in(data):
            return text
        data = WrappedStage(self.wrapped).whole(Stage(self.plain).whole(data))
        return data.decode("utf-8", "surrogatepass")

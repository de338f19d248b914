"""What is known to be secret, and replacing it in a text that is all there is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from penstock.redact.forms import forms
from penstock.redact.literals import (
    Literals,
    Stage,
    WrappedStage,
    flatten,
    wrapped_forms,
)
from penstock.redact.names import is_certain


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
        return bool(self.wrapped) and self.wrapped.stand_in(flatten(data).data)

    def replaced(self, text: str) -> str:
        """Return the text without them."""
        if not self.values:
            return text
        data = text.encode("utf-8", "surrogatepass")
        if not self.stand_in(data):
            return text
        data = WrappedStage(self.wrapped).whole(Stage(self.plain).whole(data))
        return data.decode("utf-8", "surrogatepass")

"""Taking secrets out of text before it is stored: known values, and what looks like a secret.

A stream passes three stages. The first replaces known values in all their forms, wherever they
stand; the second those that the ends of lines cut. The third knows what secrets look like, line by
line. Each sees the same bytes in the same units however the stream was cut into pieces, so a secret
across a border is found, and a text and the same text in pieces give the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from penstock.redact.forms import REPLACEMENT, forms, is_certain
from penstock.redact.lines import LineStage
from penstock.redact.literals import (
    Literals,
    Stage,
    WrappedStage,
    flatten,
    has_break,
    wrapped_forms,
)
from penstock.redact.patterns import may_look_secret

_FLAG_ALONE = re.compile(
    r"--?[a-z0-9-]*(?:password|passphrase|secret|token|api-key)", re.IGNORECASE
)

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
"""An environment variable with one of these in its name holds a secret."""


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables whose names say that they are secret."""
    return tuple(
        value for name, value in environ.items() if any(s in name.upper() for s in SECRET_NAMES)
    )


class _Known(NamedTuple):
    """The known values: as they are written, across the ends of lines, and those of them that no
    word or name could be."""

    plain: Literals
    wrapped: Literals
    certain: tuple[Literals, Literals]


def _known(values: Iterable[str]) -> _Known:
    made = {value: frozenset(forms(value)) for value in values}
    plain = {form for written in made.values() for form in written}
    certain = {form for value, written in made.items() if is_certain(value) for form in written}
    both = [Literals(plain), Literals(wrapped_forms(plain))]
    some = (
        both
        if len(certain) == len(plain)
        else [Literals(certain), Literals(wrapped_forms(certain))]
    )
    return _Known(both[0], both[1], (some[0], some[1]))


class Redactor:
    """Replaces secrets by `[REDACTED]`. It may be shared by threads; it only ever learns."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        """Take the known secret values; those shorter than SHORTEST_LITERAL are left out.

        Each is also found as it stands in JSON, HTML, a URL, a shell, hex and base64, on its own or
        inside a longer value, and where the ends of lines cut it.
        """
        self._values = frozenset(literals)
        self._known = _known(self._values)

    def learn(self, values: Iterable[str]) -> None:
        """Take further known values; streams that are open do not hear of them."""
        more = self._values.union(values)
        if more != self._values:
            self._values, self._known = more, _known(more)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        errors = "surrogateescape"
        try:
            data = text.encode("utf-8", errors)
        except UnicodeEncodeError:  # half a character, which only JSON can bring in
            errors = "surrogatepass"
            data = text.encode("utf-8", errors)
        return self.data(data).decode("utf-8", errors)

    def values(self, text: str) -> str:
        """Return the text with the known values replaced, and nothing that only looks like one."""
        known = self._known
        return _replaced(text, known.plain, known.wrapped)

    def certain(self, text: str) -> str:
        """Return the text with those known values replaced that no word, name or path could be: for
        text that machines read back."""
        return _replaced(text, *self._known.certain)

    def data(self, data: bytes) -> bytes:
        """Return the bytes without secrets; what is no UTF-8 stays as it is."""
        stream = self.stream()
        return stream.feed(data) + stream.flush()

    def may_hold(self, data: bytes) -> bool:
        """Tell cheaply whether there may be a secret: without one `data` would change nothing.

        Text may be asked for in its JSON form, too.
        """
        return may_look_secret(data) or _stand_in(data, self._known.plain, self._known.wrapped)

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return an argument list without secrets: also the value after a flag like `--token`."""
        clean: list[str] = []
        for before, argument in zip(("", *argv), argv, strict=False):
            is_value = _FLAG_ALONE.fullmatch(before) and not argument.startswith("-")
            clean.append(REPLACEMENT if is_value else self.text(argument))
        return tuple(clean)

    def stream(self) -> RedactingStream:
        """Return a filter for one stream; see `RedactingStream`."""
        return RedactingStream(self._known.plain, self._known.wrapped)


class RedactingStream:
    """Redacts a stream piece by piece; `flush` gives what is still held back at its end.

    Held back is the line that has not ended yet (at most LONGEST_LINE bytes) and what may be the
    beginning of a known value.
    """

    def __init__(self, plain: Literals, wrapped: Literals) -> None:
        self._stages = (Stage(plain), WrappedStage(wrapped), LineStage())

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return what is certain."""
        for stage in self._stages:
            data = stage.feed(data)
        return data

    def flush(self) -> bytes:
        """Return the rest."""
        data = b""
        for stage in self._stages:
            data = stage.feed(data) + stage.flush()
        return data


def _stand_in(data: bytes, plain: Literals, wrapped: Literals) -> bool:
    if plain.stand_in(data):
        return True
    return bool(wrapped) and has_break(data) and wrapped.stand_in(flatten(data).data)


def _replaced(text: str, plain: Literals, wrapped: Literals) -> str:
    data = text.encode("utf-8", "surrogatepass")
    if not _stand_in(data, plain, wrapped):
        return text
    data = WrappedStage(wrapped).whole(Stage(plain).whole(data))
    return data.decode("utf-8", "surrogatepass")

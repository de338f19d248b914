"""Taking secrets out of text before it is stored: known values, and what looks like a secret.

A stream passes three stages. The first replaces known values in all their forms, wherever they
stand; the second those that the ends of lines cut. The third knows what secrets look like, line by
line. Each sees the same bytes in the same units however the stream was cut into pieces, so a secret
across a border is found, and a text and the same text in pieces give the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from penstock.redact.forms import REPLACEMENT
from penstock.redact.known import Known
from penstock.redact.lines import LineStage, without_orphan
from penstock.redact.literals import Literals, Stage, WrappedStage, replace
from penstock.redact.patterns import may_look_secret

if TYPE_CHECKING:
    from penstock.leaks.match import LeakFinder

_FLAG_ALONE = re.compile(
    r"--?[a-z0-9-]*(?:password|passphrase|secret|token|api-key)", re.IGNORECASE
)


class Redactor:
    """Replaces secrets by `[REDACTED]`. It may be shared by threads; it only ever learns."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        """Take the known secret values; those shorter than SHORTEST_LITERAL are left out.

        Each is also found as it stands in JSON, HTML, a URL, a shell, hex and base64, on its own or
        inside a longer value, and where the ends of lines cut it.
        """
        self._known = Known(literals)

    def learn(self, values: Iterable[str]) -> None:
        """Take further known values; streams that are open do not hear of them."""
        more = self._known.values.union(values)
        if more != self._known.values:
            self._known = Known(more)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        errors = "surrogateescape"
        try:
            data = text.encode("utf-8", errors)
        except UnicodeEncodeError:  # half a character, which only JSON can bring in
            errors = "surrogatepass"
            data = text.encode("utf-8", errors)
        if not self.may_hold(data):
            return text
        return self.data(without_orphan(data)).decode("utf-8", errors)

    def values(self, text: str) -> str:
        """Return the text with the known values replaced, and nothing that only looks like one."""
        return self._known.replaced(text)

    def certain(self, text: str) -> str:
        """Return the text with those known values replaced that no word, name or path could be: for
        text that machines read back."""
        return self._known.certain.replaced(text)

    def prose(self, text: str) -> str:
        """Return a text that somebody works by without secrets: known values and what the secret scan
        would report. What only a name gives away stays otherwise: in `token: must be` is none."""
        raw = self._prose(text.encode("utf-8", "surrogatepass"))
        return raw.decode("utf-8", "surrogatepass")

    def patch(self, patch: bytes) -> bytes:
        """Return a patch whose added lines hold no secrets; it still applies where it did before."""
        lines = patch.splitlines(keepends=True)
        clean = [self._prose(line) if line.startswith(b"+") else line for line in lines]
        return b"".join(clean)

    def _prose(self, data: bytes) -> bytes:
        known = self._known
        if not data:
            return data
        clean = RedactingStream(known.plain, known.wrapped, named=False).whole(data)
        return replace(clean, [(leak.start, leak.end) for leak in _finder().find(clean)])

    def data(self, data: bytes) -> bytes:
        """Return the bytes without secrets; what is no UTF-8 stays as it is."""
        return self.stream().whole(data)

    def may_hold(self, data: bytes) -> bool:
        """Tell cheaply whether there may be a secret: without one `data` would change nothing.

        Text may be asked for in its JSON form, too.
        """
        return may_look_secret(data) or self._known.stand_in(data)

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return an argument list without secrets: also the value after a flag like `--token`."""
        clean: list[str] = []
        for before, argument in zip(("", *argv), argv, strict=False):
            is_value = _FLAG_ALONE.fullmatch(before) and not argument.startswith("-")
            clean.append(REPLACEMENT if is_value else self.text(argument))
        return tuple(clean)

    def stream(self) -> RedactingStream:
        """Return a filter for one stream; see `RedactingStream`."""
        known = self._known
        return RedactingStream(known.plain, known.wrapped)


@cache
def _finder() -> LeakFinder:
    from penstock.leaks.match import LeakFinder  # takes a while to be made, and not all need it

    return LeakFinder()


class RedactingStream:
    """Redacts a stream piece by piece; `flush` gives what is still held back at its end.

    Held back is the line that has not ended yet (at most LONGEST_LINE bytes) and what may be the
    beginning of a known value.
    """

    def __init__(self, plain: Literals, wrapped: Literals, *, named: bool = True) -> None:
        self._stages = (Stage(plain), WrappedStage(wrapped), LineStage(named=named))

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

    def whole(self, data: bytes) -> bytes:
        """Take all there is, return all of it."""
        return self.feed(data) + self.flush()

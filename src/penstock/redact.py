"""Taking secrets out of text before it is stored: known values, and what looks like a secret.

A stream passes two stages. The first replaces known values in all their forms, wherever they
stand, newlines included. The second knows what secrets look like, line by line. Both see the
same bytes in the same units however the stream was cut into pieces, so a secret across a border
is found, and a text and the same text in pieces give the same result.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus

REPLACEMENT = "[REDACTED]"
SHORTEST_LITERAL = 6
"""Shorter values are common words; replacing them would spoil the text and hide little."""

LONGEST_LINE = 1 << 16
"""Bytes after which a line without an end is worked on in parts."""
OVERLAP = 1 << 13
"""Bytes of such a part that are looked at again with the next, for secrets across the cut."""

_MARK = REPLACEMENT.encode()

# -- what secrets look like: each pattern stays within a line ------------------------------------
_TOKENS = re.compile(
    rb"(?<![A-Za-z0-9])(?:"
    rb"sk-[A-Za-z0-9_-]{8,}"
    rb"|AKIA[A-Z0-9]{12,}"
    rb"|gh[ops]_[A-Za-z0-9]{16,}"
    rb"|github_pat_[A-Za-z0-9_]{16,}"
    rb"|AIza[A-Za-z0-9_-]{30,})"
)
# Looking for a few short words first makes clean text, which is nearly all of it, cheap.
_TOKEN_HINTS = (b"sk-", b"AKIA", b"gho_", b"ghp_", b"ghs_", b"github_pat_", b"AIza")
_URL_PASSWORD = re.compile(rb"(://[^/\s:@]*:)([^/\s@]+)(?=@)")

# The rest is searched in the text in lower case.
_BEARER = re.compile(
    rb"(\bbearer[ \t]+|\bauthorization\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?(?:basic|token)[ \t]+)"
    rb"([a-z0-9._~+/=-]{6,})"
)
_NAME = (
    rb"(?:password|passwd|passphrase|secret|token|"
    rb"(?:api|secret|access|private|auth)[_-]?key(?:[_-]id)?)"
)
_ASSIGNMENT = re.compile(
    rb"(" + _NAME + rb"\\*[\"']?[ \t]*(?:=>|:=|[:=])[ \t]*)"
    # a quoted value, one in quotes that are escaped themselves, an open quote, or a bare word
    rb"(?:\"((?:[^\"\\\n]|\\.)+)\"|'((?:[^'\\\n]|\\.)+)'|\\+[\"']([^\"'\n]+?)\\+[\"']"
    rb"|[\"']([^\"'\n]+)$|((?!\[redacted\]|[=>\"']|\\+[\"']|[\[({]+(?:\s|$))"
    # a bare word may hold commas, but not the next assignment
    rb"(?:[^\s\"'&,;]|[,;](?![\w.-]+[=:]))*[^\s\"'&,;)\]}]))",
    re.MULTILINE,
)
_FLAG = re.compile(rb"(--[a-z0-9-]*(?:password|passphrase|secret|token|api-key)[ \t]+)([^\s-]\S*)")
_NAMED = (
    (_BEARER, (b"bearer", b"authorization")),
    (_ASSIGNMENT, (b"pass", b"secret", b"token", b"key")),
    (_FLAG, (b"--",)),
)

# In clean text none of these stands, in lower case. What is not here needs one that is: flags and
# private keys hold `key`, `pass`, `secret` or `token`.
_HINTS = tuple(
    dict.fromkeys(
        [hint.lower() for hint in _TOKEN_HINTS]
        + [hint for _, hints in _NAMED for hint in hints if hint != b"--"]
    )
)

_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(
    rb"\W*$|.*[A-Za-z0-9+/=]{20}|[\s>|+\"',\\-]*[A-Za-z0-9+/=]+[\s\"',\\]*$"
    rb"|\W*(?:Proc-Type|DEK-Info|Version|Comment):"
)
_KEY_HINT = b"PRIVATE KEY"

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_WORD = re.compile(rb"[^\s\"'&]*")
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


class Redactor:
    """Replaces secrets by `[REDACTED]`. It has no state and may be shared by threads."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        """Take the known secret values; those shorter than SHORTEST_LITERAL are left out.

        Each is also found as it stands in JSON, in a URL and in base64, on its own or inside a
        longer value.
        """
        self._literals = _Literals({form for text in literals for form in _forms(text)})

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
        raw = self._literals.replace_all(text.encode("utf-8", "surrogatepass"))
        return raw.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """Return the bytes without secrets; what is no UTF-8 stays as it is."""
        stream = self.stream()
        return stream.feed(data) + stream.flush()

    def may_hold(self, data: bytes) -> bool:
        """Tell cheaply whether there may be a secret: without one `data` would change nothing.

        Text may be asked for in its JSON form, too.
        """
        lowered = data.lower()
        for hint in _HINTS:
            if hint in lowered:
                return True
        return (b"@" in data and b"://" in data) or self._literals.may_stand_in(data)

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return an argument list without secrets: also the value after a flag like `--token`."""
        clean: list[str] = []
        for before, argument in zip(("", *argv), argv, strict=False):
            is_value = _FLAG_ALONE.fullmatch(before) and not argument.startswith("-")
            clean.append(REPLACEMENT if is_value else self.text(argument))
        return tuple(clean)

    def stream(self) -> RedactingStream:
        """Return a filter for one stream; see `RedactingStream`."""
        return RedactingStream(self._literals)


class RedactingStream:
    """Redacts a stream piece by piece; `flush` gives what is still held back at its end.

    Held back is the line that has not ended yet (at most LONGEST_LINE bytes) and what may be the
    beginning of a known value.
    """

    def __init__(self, literals: _Literals) -> None:
        self._literals = literals
        self._held = b""
        self._lines = _LineStage()

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return what is certain."""
        clean, self._held = self._literals.replace(self._held + data)
        return self._lines.feed(clean)

    def flush(self) -> bytes:
        """Return the rest."""
        clean, self._held = self._literals.replace_all(self._held), b""
        return self._lines.feed(clean) + self._lines.flush()


class _Literals:
    """A set of byte strings, replaced leftmost first and longest first."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile(b"|".join(re.escape(form) for form in self._forms))
        # a form that holds another one need not be looked for to know that there is something
        self._hints = [
            form for form in self._forms if not any(o in form for o in self._forms if o != form)
        ]
        self._longest = max(map(len, self._forms), default=0)
        heads = sorted({form[:4] for form in self._forms})
        self._heads = re.compile(b"(?=" + b"|".join(re.escape(head) for head in heads) + b")")

    def may_stand_in(self, data: bytes) -> bool:
        """Tell whether any of them stands in the data."""
        return any(hint in data for hint in self._hints)

    def replace_all(self, data: bytes) -> bytes:
        """Replace in data that is known to be all there is."""
        if not self.may_stand_in(data):
            return data
        return self._pattern.sub(_MARK, data)

    def replace(self, data: bytes) -> tuple[bytes, bytes]:
        """Replace what is certain; return that, and the rest that more data may decide on."""
        if not self._forms:
            return data, b""
        open_at = self._open_positions(data)
        if not self.may_stand_in(data):
            cut = open_at[0] if open_at else len(data)
            return data[:cut], data[cut:]
        done: list[bytes] = []
        at = 0
        for match in self._pattern.finditer(data):
            # a longer value may yet turn out to begin at or before this one
            if any(at <= position <= match.start() for position in open_at):
                break
            done += (data[at : match.start()], _MARK)
            at = match.end()
        cut = next((position for position in open_at if position >= at), len(data))
        done.append(data[at:cut])
        return b"".join(done), data[cut:]

    def _open_positions(self, data: bytes) -> list[int]:
        """Where, near the end, a value begins that the data breaks off."""
        start = max(0, len(data) - self._longest + 1)
        last = max(start, len(data) - 3)
        candidates = [match.start() for match in self._heads.finditer(data, start)]
        return [
            position
            for position in sorted({*candidates, *range(last, len(data))})
            if self._breaks_off(data[position:])
        ]

    def _breaks_off(self, rest: bytes) -> bool:
        return any(len(form) > len(rest) and form.startswith(rest) for form in self._forms)


class _LineStage:
    """Applies the patterns line by line; keys of several lines by remembering being inside one."""

    def __init__(self) -> None:
        self._held = b""
        self._in_key = False
        self._in_word = False

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return all lines that are complete."""
        data = self._held + data
        done: list[bytes] = []
        at = 0
        while (unit := self._next_unit(data, at)) is not None:
            until, part = unit
            done.append(part)
            at = until
        self._held = data[at:]
        return b"".join(done)

    def flush(self) -> bytes:
        """Return the last line, which has no end."""
        data, self._held = self._held, b""
        return self._redact(self._skip_word(data))

    def _next_unit(self, data: bytes, at: int) -> tuple[int, bytes] | None:
        window_end = at + LONGEST_LINE
        newline = data.rfind(b"\n", at, window_end)
        if newline >= 0:
            return newline + 1, self._redact(self._skip_word(data[at : newline + 1]))
        if len(data) < window_end:
            return None
        window = data[at:window_end]
        cut = _cut_outside_secrets(window)
        part = self._redact(self._skip_word(window[:cut]))
        # a secret longer than the window goes on in the next
        self._in_word = self._in_word or cut == len(window)
        return at + cut, part

    def _skip_word(self, data: bytes) -> bytes:
        if not self._in_word or not data:
            return data
        match = _WORD.match(data)
        end = 0 if match is None else match.end()
        self._in_word = end == len(data)
        return data[end:]

    def _redact(self, data: bytes) -> bytes:
        if not self._in_key and _KEY_HINT not in data:
            return _redact_lines(data)
        return b"".join(self._redact_near_key(line) for line in _LINES.findall(data))

    def _redact_near_key(self, line: bytes) -> bytes:
        if self._in_key:
            end = _KEY_END.search(line)
            if end is None and _KEY_BODY.match(line):
                return b""
            self._in_key = False
            if end is not None:
                line = line[end.end() :].lstrip(b"\r\n")
        spans, opened = _key_spans(line)
        clean = _redact_lines(_replace(line if opened < 0 else line[:opened], spans))
        if opened < 0:
            return clean
        self._in_key = True
        return clean + _MARK + (b"\n" if line[-1:] == b"\n" else b"")


def _redact_lines(data: bytes) -> bytes:
    return _replace(data, sorted((start, end) for _, start, end in _secrets(data)))


def _replace(data: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """Replace the spans, which are in order; one that begins inside another adds to it."""
    done: list[bytes] = []
    at = 0
    for start, end in spans:
        if start >= at:
            done += (data[at:start], _MARK)
        at = max(at, end)
    return b"".join((*done, data[at:])) if done else data


def _cut_outside_secrets(window: bytes) -> int:
    """Return where to cut a part of an endless line: before the overlap, but within no secret."""
    spans, opened = _key_spans(window)
    spans += [(start, end) for start, _, end in _secrets(window)]
    if opened >= 0:
        spans.append((opened, len(window)))
    cut = len(window) - OVERLAP
    for start, end in sorted(spans):
        if start < cut < end:
            cut = end
    return cut


def _key_spans(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """Find the private keys in a line, and where one begins that does not end, else -1."""
    spans: list[tuple[int, int]] = []
    at = 0
    while begin := _KEY_BEGIN.search(data, at):
        end = _KEY_END.search(data, begin.end())
        if end is None:
            return spans, begin.start()
        spans.append((begin.start(), at := end.end()))
    return spans, -1


def _secrets(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield where something is that shows a secret, and from where to where the secret is.

    In no particular order, overlaps included.
    """
    if any(hint in data for hint in _TOKEN_HINTS):
        yield from ((m.start(), *m.span()) for m in _TOKENS.finditer(data))
    if b"@" in data and b"://" in data:
        yield from ((m.start(), *m.span(2)) for m in _URL_PASSWORD.finditer(data))
    lowered = data.lower()
    for pattern, hints in _NAMED:
        if any(hint in lowered for hint in hints):
            for m in pattern.finditer(lowered):
                yield m.start(), *m.span(m.lastindex or 0)


def _forms(text: str) -> Iterator[bytes]:
    """Yield a value as it is and as it is written in JSON, in URLs and in base64."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(text) < SHORTEST_LITERAL or text in REPLACEMENT:
        return
    yield raw
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        for form in (once, twice, once.replace("/", "\\/")):
            yield form.encode("utf-8", "surrogatepass")
    for url in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield url.encode()
        yield re.sub("%..", lambda match: match[0].lower(), url).encode()
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    # inside a longer value it may begin at any of three places of a group of four characters;
    # what shares a character with its neighbours differs and is left off
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = len(encoded.rstrip(b"=")) - (1 if (before + len(raw)) % 3 else 0)
        core = encoded[(0, 2, 3)[before] : whole]
        for form in (core, encoded if before == 0 else core):
            yield form
            yield form.replace(b"+", b"-").replace(b"/", b"_")

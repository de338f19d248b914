"""A file of a plan as text: its lines, their byte offsets, and what is odd about its bytes."""

from __future__ import annotations

import codecs
import hashlib
import os
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from penstock.planning.files import UnreadableError, read_bytes, reason
from penstock.planning.sources.api import Notice, Place, Severity

MAX_SOURCE_BYTES: Final = 64 * 1024 * 1024
_FOREIGN: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Line(NamedTuple):
    """A line: its number from 1, its text without the end, the end (LF, CRLF, CR or nothing), and
    the byte offset of its first byte in the file."""

    number: int
    text: str
    end: str
    offset: int


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a plan: `name` as people name it, `raw` what it holds byte for byte.

    `text` is decoded and without a byte order mark, its line ends as they are. `lines` end at LF,
    CRLF or CR only, so that their numbers are those of an editor. `sha256` is of `raw`, in hex.
    """

    name: str
    raw: bytes
    text: str
    lines: tuple[Line, ...]
    sha256: str
    notices: tuple[Notice, ...] = ()

    def place(self, line: int) -> Place:
        """Return the place of a line (from 1) of this file."""
        return Place(self.name, line)


def read_file(path: Path, name: str, *, within: Path | None = None) -> SourceFile:
    """Read a file of a plan; links must not lead out of the folder `within`.

    Raises UnreadableError for what is no regular file, is too large, is in another encoding than
    UTF-8 or cannot be opened.
    """
    if within is not None:
        _check_within(path, within)
    return from_bytes(read_bytes(path, limit=MAX_SOURCE_BYTES), name)


def from_bytes(raw: bytes, name: str) -> SourceFile:
    """Make a file of bytes. Bad UTF-8 is replaced and told by a notice for its first line.

    Raises UnreadableError for UTF-16 and UTF-32.
    """
    _check_encoding(raw)
    skipped = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    body = raw[skipped:]
    lines = _lines(body, skipped)
    return SourceFile(
        name=name,
        raw=raw,
        text=body.decode(errors="replace"),
        lines=lines,
        sha256=hashlib.sha256(raw).hexdigest(),
        notices=_notices(body, name),
    )


def _lines(body: bytes, offset: int) -> tuple[Line, ...]:
    """Split bytes at LF, CRLF and CR only: U+2028 and form feeds are text to every editor."""
    made: list[Line] = []
    for number, part in enumerate(body.splitlines(keepends=True), 1):
        text = part.rstrip(b"\r\n")
        end = part[len(text) :]
        made.append(Line(number, text.decode(errors="replace"), end.decode(), offset))
        offset += len(part)
    return tuple(made)


def _check_within(path: Path, folder: Path) -> None:
    """Refuse a file that a symbolic link takes from outside."""
    try:
        target = Path(os.path.realpath(path, strict=True))
        home = Path(os.path.realpath(folder, strict=True))
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be opened: {reason(error)}") from error
    if not target.is_relative_to(home):
        raise UnreadableError(f"a symbolic link to {target}, outside of what is read here")


def _check_encoding(raw: bytes) -> None:
    """Refuse what is plainly no UTF-8: its line and byte numbers would mean nothing."""
    found = next((name for mark, name in _FOREIGN if raw.startswith(mark)), None)
    if found:
        raise UnreadableError(f"{found}, expected UTF-8; convert it: iconv -f {found} -t UTF-8")
    if b"\0" in raw[:4096]:
        raise UnreadableError("holds NUL bytes: binary data or UTF-16, expected UTF-8")


def _notices(body: bytes, name: str) -> tuple[Notice, ...]:
    """Tell where the bytes are no UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = len((before + b".").splitlines())
        wrong = Notice(
            code="bad-encoding",
            severity=Severity.WARNING,
            text=f"byte 0x{body[error.start]:02x} is not UTF-8; such bytes are read as \N{REPLACEMENT CHARACTER}",
            place=Place(name, line),
            hint="convert the file: iconv -f ISO-8859-1 -t UTF-8 if it is Latin-1",
        )
        return (wrong,)
    return ()

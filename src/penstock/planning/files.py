"""Reading bundle files: what may be opened, how much of it, and in which encoding."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10 * 1024 * 1024
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class UnreadableError(Exception):
    """A file cannot be read as text; the message says why and what to do."""


def bundle_files(directory: Path) -> list[Path]:
    """Return the `*.json` entries directly in a directory, in path order, whatever they are.

    Hidden ones are left out, as a shell does: editors keep their locks and copies there.
    Raises UnreadableError when the directory cannot be listed.
    """
    try:
        entries = sorted(directory.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise UnreadableError(f"cannot be listed: {reason(error)}") from error
    return [e for e in entries if e.name.endswith(".json") and not e.name.startswith(".")]


def read_text(path: Path) -> str:
    """Return a bundle file's text, without a byte order mark.

    Neither waits for a pipe nor follows a link out of the file's own directory.
    Raises UnreadableError.
    """
    _check_link(path)
    return _decode(read_bytes(path))


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Return what a regular file of at most `limit` bytes holds.

    Does not wait for a pipe. Raises UnreadableError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be opened: {reason(error)}") from error
    try:
        return _content(descriptor, path, limit)
    finally:
        os.close(descriptor)


def reason(error: OSError | ValueError) -> str:
    """The system's words for an error, without the path that the caller names anyway."""
    return getattr(error, "strerror", None) or str(error)


def _check_link(path: Path) -> None:
    """Refuse a symbolic link that leads out of the directory it lies in."""
    try:
        if not path.is_symlink():
            return
        target = Path(os.path.realpath(path, strict=True))
        home = Path(os.path.realpath(path.parent, strict=True))
    except (OSError, ValueError) as error:
        raise UnreadableError(f"a symbolic link that leads nowhere: {reason(error)}") from error
    if not target.is_relative_to(home):
        raise UnreadableError(
            f"a symbolic link to {target}, outside its directory: a bundle must not pull in what "
            "nobody sees in the repository; put a copy here, or name the file itself"
        )


def _content(descriptor: int, path: Path, limit: int) -> bytes:
    """Return all bytes of an open regular file of bearable size."""
    status = os.fstat(descriptor)
    for is_kind, kind in _KINDS:
        if is_kind(status.st_mode):
            raise UnreadableError(f"{kind}, not a regular file; remove or rename it")
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            # asked for the limit at once, it would take memory for that each time
            content = stream.read(min(status.st_size, limit) + 1)
            if len(content) > status.st_size:  # it grows, or is one of /proc
                content += stream.read(limit + 1 - len(content))
    except OSError as error:
        raise UnreadableError(f"cannot be read: {reason(error)}") from error
    if len(content) > limit:
        raise UnreadableError(
            f"larger than {limit // 2**20} MB; split it into several files ({path.stem}-1{path.suffix})"
        )
    return content


def _decode(content: bytes) -> str:
    """Decode UTF-8, with or without its mark, and name any other encoding that can be told."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            raise UnreadableError(f"{encoding}, expected UTF-8; {_convert(encoding)}")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line, column = place(content[: error.start].decode())
        raise UnreadableError(
            f"not UTF-8: byte 0x{content[error.start]:02x} at line {line} column {column}; "
            f"{_convert('ISO-8859-1')} if it is Latin-1"
        ) from error
    if "\0" in text[:4]:
        raise UnreadableError(f"looks like UTF-16, expected UTF-8; {_convert('UTF-16LE')}")
    return text


def _convert(encoding: str) -> str:
    """How to turn a file into UTF-8."""
    return f"convert it: iconv -f {encoding} -t UTF-8"


def place(before: str) -> tuple[int, int]:
    """Return line and column (from 1) of the character that follows a text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")

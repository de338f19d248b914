"""Writing to the two streams: text, JSON, tables; never a traceback for a stream that is gone."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from penstock.cli.words import one_line
from penstock.errors import EnvironmentProblem
from penstock.masking import certain

MIN_WIDTH = 20
_gone: set[str] = set()
_above: list[Callable[[str], None]] = []


def tolerate_encoding() -> None:
    """Let a terminal that cannot show a character show its escape instead of failing."""
    _gone.clear()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(text: str = "", *, end: str = "\n") -> None:
    """Write to stdout. A reader that went away is remembered (see `stdout_gone`) and no error."""
    _write(sys.stdout, "stdout", text + end)


def emit_secret(text: str) -> None:
    """Write a line to stdout that holds a secret which the user asked for, to the letter: nothing is
    taken out of it, and it is UTF-8 whatever the terminal can show."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None or "stdout" in _gone or sys.stdout.closed:
        _write_as_it_is(sys.stdout, "stdout", text + "\n")
        return
    flush()
    try:
        buffer.write(text.encode("utf-8") + b"\n")
    except BrokenPipeError:
        close_stdout()
    flush()


def warn(text: str = "") -> None:
    """Write a line to stderr, or above what is drawn there (see `warnings_to`)."""
    if _above:
        _above[-1](text)
    else:
        _write(sys.stderr, "stderr", text + "\n")


@contextmanager
def warnings_to(say: Callable[[str], None]) -> Iterator[None]:
    """Hand what `warn` is given to `say` while the block runs: a line in the midst of a table that
    is redrawn in place would tear it."""
    _above.append(say)
    try:
        yield
    finally:
        _above.remove(say)


def emit_json(value: Any) -> None:
    """Write a value (structs allowed) to stdout as indented JSON."""
    emit(json_text(value))


def emit_json_line(value: Any) -> None:
    """Write a value to stdout as one line of JSON and flush it, for a reader that follows."""
    emit(json.dumps(msgspec.to_builtins(value), ensure_ascii=not _is_utf8(sys.stdout)))
    flush()


def json_text(value: Any) -> str:
    """Return a value (structs allowed) as indented JSON that stdout can encode."""
    plain = msgspec.to_builtins(value)
    text = json.dumps(plain, indent=2, ensure_ascii=not _is_utf8(sys.stdout))
    if text.isascii() or _encodable(text):
        return text
    return json.dumps(plain, indent=2)


def flush() -> bool:
    """Flush both streams; False when what was written to stdout is lost for another reason than
    a reader that went away (a full disk), which is said on stderr."""
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        close_stdout()
    except OSError as error:
        close_stdout()
        warn(f"Error: cannot write to standard output: {error.strerror}")
        return False
    return True


def stdout_gone() -> bool:
    """Tell whether the reader of stdout went away, so that following makes no sense."""
    return "stdout" in _gone


def close_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at the end is quiet."""
    _gone.add("stdout")
    _silence(sys.stdout)


def on_terminal(stream: TextIO | None = None) -> bool:
    """Tell whether a stream (stdout by default) is a terminal."""
    target = sys.stdout if stream is None else stream
    return target is not None and not target.closed and target.isatty()


def width() -> int:
    """Return the width of the terminal in columns (80 when unknown)."""
    import shutil

    return max(shutil.get_terminal_size((80, 24)).columns, MIN_WIDTH)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: coloured and fitted to the width on a terminal, plain columns elsewhere."""
    if on_terminal():
        from penstock.cli.tables import print_table

        print_table(columns, [tuple(map(certain, row)) for row in rows])
    else:
        emit(plain_table(columns, rows))


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as aligned columns, two blanks apart, nothing cut."""
    lines = [tuple(columns), *(tuple(map(one_line, row)) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def displayed(text: str) -> str:
    """Return text fit for stdout: on a terminal without control characters, whose sequences could
    rewrite the screen or type into it."""
    if not on_terminal():
        return text
    return "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _write(stream: TextIO | None, name: str, text: str) -> None:
    """Write to a stream without the secrets known here, whoever let them come this far."""
    _write_as_it_is(stream, name, certain(text))


def _write_as_it_is(stream: TextIO | None, name: str, text: str) -> None:
    """Write to a stream, quietly giving up when its reader is gone."""
    if stream is None or name in _gone or stream.closed:
        return
    try:
        stream.write(text)
    except BrokenPipeError:
        _gone.add(name)
        _silence(stream)
    except OSError as error:
        if name == "stderr":  # there is nowhere left to say it
            _gone.add(name)
            return
        close_stdout()
        raise EnvironmentProblem(
            f"cannot write to standard output: {error.strerror}",
            hint="Free space or choose another place for the output.",
        ) from error


def _silence(stream: TextIO | None) -> None:
    """Put /dev/null behind a stream's descriptor."""
    try:
        number = stream.fileno() if stream is not None else -1
    except (OSError, ValueError):  # a stream in memory has none
        return
    if number < 0:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def _is_utf8(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "") == "utf8"


def _encodable(text: str) -> bool:
    """Tell whether UTF-8 can hold the text (a lone surrogate it cannot)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

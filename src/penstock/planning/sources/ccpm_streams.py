"""The streams of a CCPM analysis: scope, files, and what each waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from penstock.planning.sources.api import Place, StatedPath, Use
from penstock.planning.sources.frontmatter import frontmatter
from penstock.planning.sources.markdown import headings, passage, sections
from penstock.planning.sources.noting import once, one_line
from penstock.planning.sources.stating import named_paths, said_use
from penstock.planning.sources.text import SourceFile

_STREAM: Final = re.compile(
    r"(?:work\s*)?(?:streams?|工作流|流|ストリーム)\s*[-#]?\s*([A-Za-z]|\d+)(?![A-Za-z0-9])\s*[:\uFF1A.\-\u2013\u2014]*\s*",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(
    r"\s*(?:[-*+]\s+)?\*\*\s*(?P<name>[^*:\uFF1A]{1,40}?)\s*[:\uFF1A]?\s*\*\*\s*[:\uFF1A]?\s*(?P<rest>.*)"
)
_PLAIN_FIELD: Final = re.compile(
    r"\s*(?P<name>Scope|Files|Can Start|Dependencies|Agent Type|Estimated Hours)\s*:\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_NAMES: Final = {
    "scope": "scope",
    "范围": "scope",
    "範囲": "scope",
    "範圍": "scope",
    "files": "files",
    "file": "files",
    "文件": "files",
    "檔案": "files",
    "ファイル": "files",
    "can start": "start",
    "start": "start",
    "可开始": "start",
    "開始": "start",
    "開始可能": "start",
    "dependencies": "dependencies",
    "depends on": "dependencies",
    "依赖": "dependencies",
    "依賴": "dependencies",
    "依存": "dependencies",
    "依存関係": "dependencies",
}
_LETTERS: Final = re.compile(
    r"(?:[Ss]treams?|STREAMS?|工作流|流|ストリーム)\s*((?:[A-Z]|\d+)(?![A-Za-z0-9])"
    r"(?:\s*(?:,|/|&|\+|\u3001|and|和|与|と)\s*(?:and\s+)?(?:[Ss]treams?\s*)?(?:[A-Z]|\d+)(?![A-Za-z0-9]))*)"
)
_BARE: Final = re.compile(r"\s*[A-Z](?:\s*(?:,|/|&|\+|\u3001|and)\s*(?:and\s+)?[A-Z])*\s*$")
_LETTER: Final = re.compile(r"(?<![A-Za-z0-9])([A-Z]|\d+)(?![A-Za-z0-9])")
_TASKS: Final = re.compile(r"(?:#|\b(?:task|issue)s?\s*#?)(\d+)\b", re.IGNORECASE)


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream: its letter in lower case, its title, and the lines that it says it all in.

    `after` are letters of streams that it waits for, `tasks` ids of tasks, both as written;
    `place` is that of its heading, `order_place` that of its dependencies.
    """

    letter: str
    title: str
    place: Place
    order_place: Place
    files: tuple[StatedPath, ...]
    after: tuple[str, ...]
    tasks: tuple[str, ...]
    text: str
    fields: dict[str, str]


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """An analysis: its frontmatter, and its streams in order."""

    file: SourceFile
    fields: dict[str, Any]
    streams: tuple[Stream, ...]


def analysis(file: SourceFile) -> Analysis:
    """Read an analysis."""
    fields, _, body = frontmatter(file)
    found = [heading for heading in headings(file) if heading.line >= body]
    streams = [
        _stream(file, named[1], one_line(heading.text[named.end() :]), heading.line, last)
        for heading, last in sections(file, found)
        if (named := _STREAM.match(heading.text))
    ]
    return Analysis(file=file, fields=fields, streams=tuple(streams))


def _stream(file: SourceFile, letter: str, title: str, line: int, last: int) -> Stream:
    """Read one stream."""
    said: dict[str, list[tuple[int, str]]] = {}
    others: dict[str, str] = {}
    for name, number, text in _fields(file, line + 1, last):
        known = _NAMES.get(name.lower())
        if known is not None:
            said.setdefault(known, []).append((number, text))
        elif text.strip():
            others[name] = f"{others.get(name, '')} {text.strip()}".strip()
    order = [*said.get("dependencies", ()), *said.get("start", ())]
    words = " ; ".join(text for _, text in order)
    bare = [text for _, text in said.get("dependencies", ()) if _BARE.match(text)]
    return Stream(
        letter=letter.lower(),
        title=title,
        place=file.place(line),
        order_place=file.place(order[0][0] if order else line),
        files=once(_files(file, said.get("files", []))),
        after=once(_letters(words, bare)),
        tasks=once(_TASKS.findall(words)),
        text=passage(file, line + 1, last).strip(),
        fields=others,
    )


def _fields(file: SourceFile, first: int, last: int) -> Iterator[tuple[str, int, str]]:
    """Yield the lines of a stream with the field that each belongs to."""
    name = ""
    for line in file.lines[first - 1 : last]:
        found = _FIELD.match(line.text) or _PLAIN_FIELD.match(line.text)
        if found:
            name = found["name"].strip()
        if line.text.startswith("#"):
            name = ""
        if name:
            yield name, line.number, found["rest"] if found else line.text


def _files(file: SourceFile, lines: list[tuple[int, str]]) -> Iterator[StatedPath]:
    """Yield the paths of the field **Files**; a line such as `New:` speaks for those below it."""
    use = Use.MODIFY
    for number, text in lines:
        paths = list(named_paths(text, use))
        if not paths and text.strip().endswith((":", "\uff1a")):
            use = said_use(text, Use.MODIFY)
        for named in paths:
            yield StatedPath(
                path=named.path, use=named.use, place=file.place(number), field="Files"
            )


def _letters(words: str, bare: list[str]) -> Iterator[str]:
    """Yield the letters of the streams that words name."""
    listed = [found[1] for found in _LETTERS.finditer(words)]
    for text in [*listed, *bare]:
        yield from (letter.lower() for letter in _LETTER.findall(text))

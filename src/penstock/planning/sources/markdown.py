"""The parts of Markdown that plans are made of: boxes, headings, lists, fences and comments.

Not a full Markdown reader: a plan must be read line by line, with its dirt, and written back to the
byte. Where readers differ, a line that looks like work is work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from penstock.planning.sources.frontmatter import frontmatter as frontmatter
from penstock.planning.sources.frontmatter import head_end
from penstock.planning.sources.text import Line, SourceFile

# What counts as space in the regular expressions of JavaScript, in which other readers are written.
_SPACES: Final = (
    "\\t\\v\\f\\r \N{NO-BREAK SPACE}\N{OGHAM SPACE MARK}\N{EN QUAD}-\N{HAIR SPACE}"
    "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\N{NARROW NO-BREAK SPACE}"
    "\N{MEDIUM MATHEMATICAL SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
)
_LISTED: Final = re.compile(
    rf"([{_SPACES}]*)([-*+]|[0-9]{{1,9}}[.)])[{_SPACES}]*"
    rf"\[([{_SPACES}]*(?:[^\]{_SPACES}]\ufe0f?[{_SPACES}]*)?)\]"
)
# Without the marker of a list only marks that nobody takes for a footnote or a word in brackets.
_BARE: Final = re.compile(r"([ \t]*)()\[([ \t]?[xX~✓✔]?[ \t]?)\](?=[ \t]|$)(?![ \t]*:)")
_NEAR: Final = re.compile(
    r"[ \t]*(?:>[> \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]*\[[^\]]?\](?![(\[])"
    r"|(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[[\w ]{2,12}\](?![(\[:])[ \t]"
    r"|\|(?:[^|]*\|)?[ \t]*\[[ xX]?\])"
)
_BULLET: Final = re.compile(
    r"([ \t]*)(?:[-*+•][ \t]+|[・●◦▪][ \t\u3000]*|[0-9]{1,9}(?:[.)][ \t]+|[、．）][ \t\u3000]*))(?=\S)"  # noqa: RUF001
)
_BREAK: Final = re.compile(r"[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ATX: Final = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_PARAGRAPH: Final = re.compile(r"(?:[-*+>|#<]|[0-9]{1,9}[.)]|```|~~~|$)")
_OPENER: Final = re.compile(r"\s*(?:(`{3,})[^`]*|(~{3,}).*)$", re.DOTALL)
_CLOSER: Final = re.compile(r"\s*(`{3,}|~{3,})\s*$")
_TAB: Final = 4


class Layer(IntEnum):
    """What a line lies in."""

    PLAIN = 0
    FENCE = 1
    COMMENT = 2
    FRONTMATTER = 3


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A check box: an item of a list, or a line, that begins with brackets holding a mark.

    `line` counts from 1, `indent` is in columns with tabs to 4. `marker` is that of the list
    (`-`, `1.`), empty when there is none. `mark` is the sign in the brackets without spaces, empty
    for an open box. `mark_offset` is the byte offset in the file's raw bytes of what lies between
    the brackets and `mark_length` its bytes. `text` is what follows; `details` are the deeper lines
    and the rest of the paragraph below it, up to the next box, `last` the number of the last of them.
    `parent` is the index of the box that this one is nested in.
    """

    line: int
    indent: int
    marker: str
    mark: str
    mark_offset: int
    mark_length: int
    text: str
    fenced: bool = False
    commented: bool = False
    details: str = ""
    last: int = 0
    parent: int | None = None

    @property
    def ticked(self) -> bool:
        """Whether the mark says that it is done: x or X, no other."""
        return self.mark in ("x", "X")


class Heading(NamedTuple):
    """A heading outside of fences and comments; `line` counts from 1."""

    level: int
    text: str
    line: int


class Bullet(NamedTuple):
    """An item of a list, box or not, outside of fences and comments; `indent` is in columns."""

    line: int
    indent: int
    text: str


# -- what a line lies in ---------------------------------------------------------------------------
def layers(file: SourceFile) -> list[Layer]:
    """Return what each line lies in; the first and last lines of a fence belong to it.

    A fence or comment that never ends is none: a stray sign must not hide the rest of the plan.
    """
    return _Layers(file.lines).made


class _Layers:
    """Goes over the lines once. What has no end further down is remembered, not sought again."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._endless: dict[str, int] = {}
        self.made = [Layer.PLAIN] * len(lines)
        at = self._fill(0, self._head(), Layer.FRONTMATTER)
        while at < len(lines):
            text = lines[at].text
            if text.lstrip().startswith("<!--"):
                at = self._fill(at, self._comment(at), Layer.COMMENT)
            elif "```" in text or "~~~" in text:
                at = self._fill(at, self._fence(at), Layer.FENCE)
            else:
                at += 1

    def _fill(self, first: int, last: int | None, layer: Layer) -> int:
        """Mark the lines of a block, if it ends; return the line to go on with."""
        if last is None:
            return first + (layer is not Layer.FRONTMATTER)
        self.made[first : last + 1] = [layer] * (last + 1 - first)
        return last + 1

    def _head(self) -> int | None:
        end = head_end(self._lines)
        return None if end is None else end - 1

    def _comment(self, first: int) -> int | None:
        """Return the line where the comment ends that begins a line."""
        if "-->" in self._lines[first].text:
            return first
        if "<!--" in self._endless:
            return None
        for at in range(first + 1, len(self._lines)):
            if "-->" in self._lines[at].text:
                return at
        self._endless["<!--"] = first
        return None

    def _fence(self, first: int) -> int | None:
        """Return the line that closes a fence: the same sign, as often at least, and alone."""
        opener = _OPENER.match(self._lines[first].text)
        if opener is None:
            return None
        run = opener[1] or opener[2]
        if len(run) >= self._endless.get(run[0], len(run) + 1):
            return None
        for at in range(first + 1, len(self._lines)):
            if run in self._lines[at].text and _closes(self._lines[at].text, run):
                return at
        self._endless[run[0]] = len(run)
        return None


def _closes(text: str, run: str) -> bool:
    closer = _CLOSER.match(text)
    return closer is not None and closer[1].startswith(run)


# -- headings and lists ----------------------------------------------------------------------------
def headings(file: SourceFile, made: Sequence[Layer] | None = None) -> list[Heading]:
    """Return the headings, those with a line of = or - below them too; `made` are its layers."""
    kinds = layers(file) if made is None else made
    found: list[Heading] = []
    for at, line in enumerate(file.lines):
        if kinds[at] is not Layer.PLAIN:
            continue
        text = line.text
        if "#" in text[:10] and (atx := _ATX.match(text)):
            found.append(Heading(len(atx[1]), _heading_text(text[atx.end() :]), line.number))
        elif text.startswith(("=", "-", " ")) and _underlines(file.lines, kinds, at):
            level = 1 if "=" in text else 2
            found.append(Heading(level, file.lines[at - 1].text.strip(), at))
    return found


def _heading_text(rest: str) -> str:
    """Take off the number signs that may close a heading."""
    text = rest.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare != text and (not bare or bare[-1] in " \t") else text


def _underlines(lines: Sequence[Line], kinds: Sequence[Layer], at: int) -> bool:
    """Whether a line makes the paragraph of one line above it a heading."""
    if at == 0 or kinds[at - 1] is not Layer.PLAIN or not _UNDERLINE.match(lines[at].text):
        return False
    above = lines[at - 1].text
    alone = at == 1 or not lines[at - 2].text.strip() or kinds[at - 2] is not Layer.PLAIN
    return alone and not above.startswith(("\t", "    ")) and not _NO_PARAGRAPH.match(above.strip())


def bullets(file: SourceFile, made: Sequence[Layer] | None = None) -> list[Bullet]:
    """Return the items of lists, with any marker that people type, boxes among them."""
    kinds = layers(file) if made is None else made
    found: list[Bullet] = []
    for line, kind in zip(file.lines, kinds, strict=True):
        bullet = _BULLET.match(line.text) if kind is Layer.PLAIN else None
        if bullet and not _BREAK.match(line.text):
            text = line.text[bullet.end() :].strip()
            found.append(Bullet(line.number, _columns(bullet[1]), text))
    return found


def _columns(space: str) -> int:
    """Return how many columns leading space takes, tabs to the next multiple of 4."""
    column = 0
    for sign in space:
        column += _TAB - column % _TAB if sign == "\t" else 1
    return column


def _indent(text: str) -> int:
    return _columns(text[: len(text) - len(text.lstrip(" \t"))])


# -- boxes -----------------------------------------------------------------------------------------
def boxes(file: SourceFile, made: Sequence[Layer] | None = None) -> list[Box]:
    """Return every box of a file in order, those in fences and comments too; `made` are its layers.

    Any marker of a list is taken, and any single mark: `[ ]`, `[]`, `[x]`, `[~]`, `[ x ]`. A link
    is no box. The rules are those of the openspec program, which counts what others lose.
    """
    if "]" not in file.text:
        return []
    kinds = layers(file) if made is None else made
    found = [box for line in file.lines if "]" in line.text and (box := _box(file, line, kinds))]
    return _Nesting(file, kinds, found).boxes() if found else []


def _box(file: SourceFile, line: Line, kinds: Sequence[Layer]) -> Box | None:
    """Return the box that a line begins with. A bracket before it cannot be: it is the first."""
    layer = kinds[line.number - 1]
    match = _LISTED.match(line.text)
    if match is None and layer is Layer.PLAIN:
        match = _BARE.match(line.text)
    if match is None or layer is Layer.FRONTMATTER or _is_link(match, line.text):
        return None
    start = file.raw.index(b"[", line.offset) + 1
    return Box(
        line=line.number,
        indent=_columns(match[1]),
        marker=match[2],
        mark=match[3].strip(),
        mark_offset=start,
        mark_length=file.raw.index(b"]", start) - start,
        text=line.text[match.end() :].strip(),
        fenced=layer is Layer.FENCE,
        commented=layer is Layer.COMMENT,
        last=line.number,
    )


def _is_link(match: re.Match[str], text: str) -> bool:
    """Whether the brackets are those of a link; with nothing but space in them they are a box."""
    return text.startswith(("(", "["), match.end()) and (not match[3] or not match[3].isspace())


def near_boxes(file: SourceFile, made: Sequence[Layer] | None = None) -> list[int]:
    """Return the numbers of lines that look like boxes and are none: quoted ones, those in the
    cells of a table, and those with a word for a mark."""
    kinds = layers(file) if made is None else made
    return [
        line.number
        for line, kind in zip(file.lines, kinds, strict=True)
        if kind is Layer.PLAIN
        and "]" in line.text
        and _NEAR.match(line.text)
        and not _LISTED.match(line.text)
        and not _BARE.match(line.text)
    ]


class _Nesting:
    """Finds for each box the one it is nested in and the lines that belong to it."""

    def __init__(self, file: SourceFile, kinds: Sequence[Layer], found: list[Box]) -> None:
        self._lines = file.lines
        self._kinds = kinds
        self._found = found
        self._parents: list[int | None] = []
        self._details: list[list[str]] = [[] for _ in found]
        self._last = [box.line for box in found]
        self._open: list[int] = []

    def boxes(self) -> list[Box]:
        """Return the boxes, completed."""
        ends = [box.line - 1 for box in self._found[1:]] + [len(self._lines)]
        for index, (box, end) in enumerate(zip(self._found, ends, strict=True)):
            self._begin(index, box)
            self._follow(box.line, end)
        return [self._completed(index) for index in range(len(self._found))]

    def _begin(self, index: int, box: Box) -> None:
        self._shallower(box.indent)
        self._parents.append(self._open[-1] if self._open else None)
        self._open.append(index)

    def _shallower(self, indent: int) -> None:
        """Leave open only the boxes that stand further left than `indent`."""
        while self._open and self._found[self._open[-1]].indent >= indent:
            self._open.pop()

    def _follow(self, first: int, end: int) -> None:
        """Give the lines behind a box to it, or to those around it, until one is not theirs."""
        paragraph = True
        for at in range(first, end):
            text, kind = self._lines[at].text, self._kinds[at]
            inside = kind is Layer.FENCE and at > first and self._kinds[at - 1] is Layer.FENCE
            if not text.strip():
                paragraph = False
            elif not inside and not (paragraph and kind is Layer.PLAIN and _continues(text)):
                self._shallower(_indent(text))
                paragraph = bool(self._open) and kind is Layer.PLAIN
            if not self._open:
                return
            self._details[self._open[-1]].append(text)
            if text.strip():
                self._last[self._open[-1]] = at + 1

    def _completed(self, index: int) -> Box:
        details = _dedented(self._details[index])
        parent = self._parents[index]
        if not details and parent is None:
            return self._found[index]
        last = self._last[index]
        return msgspec.structs.replace(
            self._found[index], details=details, last=last, parent=parent
        )


def _continues(text: str) -> bool:
    """Whether a line can go on a paragraph without being indented."""
    stripped = text.strip()
    return not text[0].isspace() and not _NO_PARAGRAPH.match(stripped) and stripped[0] != "["


def _dedented(lines: list[str]) -> str:
    """Return lines without the indent they share and without blank ones around them."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return ""
    shared = min(len(line) - len(line.lstrip(" \t")) for line in filled)
    return "\n".join(line[shared:].rstrip() for line in lines).strip("\n")


def passage(file: SourceFile, first: int, last: int) -> str:
    """Return the lines from `first` to `last` (from 1, both included) with plain line ends."""
    return "\n".join(line.text for line in file.lines[first - 1 : last])


def sections(file: SourceFile, found: Sequence[Heading]) -> Iterator[tuple[Heading, int]]:
    """Yield each heading with the last line of its section: before the next as high or higher."""
    ends = [len(file.lines)] * len(found)
    open_ones: list[int] = []
    for index, heading in enumerate(found):
        while open_ones and found[open_ones[-1]].level >= heading.level:
            ends[open_ones.pop()] = heading.line - 1
        open_ones.append(index)
    yield from zip(found, ends, strict=True)

"""The files of a CCPM epic: which are tasks, analyses and updates, and what a task file says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from penstock.planning.sources.api import ItemState, Place, StatedPath, Use
from penstock.planning.sources.frontmatter import MISSING, frontmatter
from penstock.planning.sources.markdown import (
    Heading,
    boxes,
    bullets,
    headings,
    layers,
    sections,
)
from penstock.planning.sources.noting import Notes, once, one_line, shown
from penstock.planning.sources.stating import looks_like_path, named_paths, said_use
from penstock.planning.sources.text import SourceFile

_STATES: Final = {
    "open": ItemState.OPEN,
    "in-progress": ItemState.OPEN,
    "backlog": ItemState.OPEN,
    "closed": ItemState.DONE,
    "completed": ItemState.DONE,
    "complete": ItemState.DONE,
    "done": ItemState.DONE,
    "cancelled": ItemState.SKIPPED,
    "canceled": ItemState.SKIPPED,
    "deferred": ItemState.SKIPPED,
}
_ON_THE_LIST: Final = frozenset({"open", "in-progress", "backlog", "closed", "completed"})
# YAML takes `#12` for a comment when space or the sign of a list stands before it.
_LOST_ID: Final = re.compile(r"(?:[:\[,]|^\s*-|task|issue)\s*#\d", re.MULTILINE | re.IGNORECASE)
_TRUE_COMMENT: Final = re.compile(r"\s#\s.*$", re.MULTILINE)
_TITLE: Final = re.compile(
    r"(?:task|bug|issue|任务|任務|タスク)\s*(?:#?\d+)?\s*[:\uFF1A]\s*", re.IGNORECASE
)
_CRITERIA: Final = re.compile(
    r"(?:acceptance\s+criteria|definition\s+of\s+done|验收|驗收|接受标准|完成定义|完成定義|受け入れ|完了の?定義)",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(
    r"(?:dependenc|effort|estimate|依赖|依賴|依存|工作量|工数|見積)", re.IGNORECASE
)
_TECHNICAL: Final = re.compile(r"(?:technical|implementation|技术|技術|実装)", re.IGNORECASE)
_ONLY_PATH: Final = re.compile(r"\s*[-*+]\s+`?([^\s`]+)`?\s*(?:$|[-(:#\u2013\u2014\uFF08]\s?)")
_FILES_LINE: Final = re.compile(
    r"\s*(?:[-*+]\s+)?\**(?P<label>(?:[A-Za-z]+\s+){0,3}?(?:files?|code\s+locations?|paths?)"
    r"(?:\s+(?:affected|involved|to\s+\w+(?:\s*/\s*\w+)*))?|(?:关键|關鍵|主要|相关|相關|関連)?(?:文件|檔案|ファイル))"
    r"\s*(?:/\s*paths?)?\**\s*[:\uFF1A]\s*\**(?P<rest>.*)",
    re.IGNORECASE,
)


class TaskFile(msgspec.Struct, frozen=True, kw_only=True):
    """A task file as read. `state` is what `status` means; `fields` is its frontmatter."""

    stem: str
    file: SourceFile
    name: str
    status: str
    state: ItemState
    fields: dict[str, Any]
    criteria: tuple[str, ...]
    key_files: tuple[StatedPath, ...]
    details: str

    def place(self, key: str) -> Place:
        """Return where a key of the frontmatter stands, the first line when it does not."""
        return _line_of(self.file, key)

    def ids(self, key: str) -> Any:
        """Return a value that lists ids. Those that YAML takes for comments (#12) are among them."""
        value = self.fields.get(key)
        written = _TRUE_COMMENT.sub("", "\n".join(self._written(key)))
        return written if _LOST_ID.search(written) else value

    def _written(self, key: str) -> Iterator[str]:
        """Yield the lines of a value as they are written, the first from its colon on."""
        first = self.place(key).line
        for line in self.file.lines[first - 1 :] if key in self.fields else ():
            if line.number > first and not line.text.startswith((" ", "\t", "-")):
                return
            if line.text.startswith("---"):
                return
            yield line.text.removeprefix(key)


def task_file(stem: str, file: SourceFile, notes: Notes) -> TaskFile:
    """Read a task file."""
    fields, odd, body = frontmatter(file)
    notes.extend(odd)
    made = layers(file)
    found = [heading for heading in headings(file, made) if heading.line >= body]
    parts = list(sections(file, found))
    status, state = _state(fields, file, notes, missing=any(n.code == MISSING for n in odd))
    return TaskFile(
        stem=stem,
        file=file,
        name=_name(fields, found, stem),
        status=status,
        state=state,
        fields=fields,
        criteria=_criteria(file, parts),
        key_files=once(_key_files(file, parts)),
        details=_details(file, body, parts),
    )


def looks_like_task(file: SourceFile) -> bool:
    """Whether a file of another name is a task all the same, by its frontmatter."""
    fields, _, _ = frontmatter(file)
    return "status" in fields and bool({"depends_on", "parallel", "conflicts_with"} & set(fields))


def status_of(text: str) -> str:
    """Return a status in lower case with hyphens: In_Progress is in-progress."""
    return "-".join(text.lower().replace("_", " ").replace("-", " ").split())


def is_closed(status: Any) -> bool:
    """Whether a status of an epic or stream says that it is over."""
    return _STATES.get(status_of(str(status))) is ItemState.DONE


def _state(
    fields: dict[str, Any], file: SourceFile, notes: Notes, *, missing: bool
) -> tuple[str, ItemState]:
    """Return the status as written and what it means; one that is off the list is noted."""
    value = fields.get("status")
    status = one_line(value) if isinstance(value, str) else ""
    state = _STATES.get(status_of(status))
    place = _line_of(file, "status")
    hint = "write one of open, in-progress, closed"
    if state is None and not missing:
        said = f"the status {shown(status)}" if status else "no status"
        notes.warning("unknown-status", f"the task has {said}, which is read as open", place, hint)
    elif state is not None and status_of(status) not in _ON_THE_LIST:
        notes.info(
            "unusual-status", f"the status {shown(status)} is read as {state.value}", place, hint
        )
    return status, state or ItemState.OPEN


def _line_of(file: SourceFile, key: str) -> Place:
    named = re.compile(rf"{re.escape(key)}\s*:")
    found = (line.number for line in file.lines if named.match(line.text))
    return file.place(next(found, 1))


def _name(fields: dict[str, Any], found: Sequence[Heading], stem: str) -> str:
    """Return the name of a task, else its first heading, else its stem."""
    name = fields.get("name")
    if isinstance(name, str) and name.strip():
        return one_line(name)
    top = next((one_line(_TITLE.sub("", heading.text, count=1)) for heading in found), "")
    return top or stem


def _criteria(file: SourceFile, parts: Sequence[tuple[Heading, int]]) -> tuple[str, ...]:
    """Return the criteria and the definition of done: boxes, or bullets where there are none."""
    wanted = [range(h.line, last + 1) for h, last in parts if _CRITERIA.match(h.text)]
    ticks = boxes(file) if wanted else []
    made: list[str] = []
    for lines in wanted:
        texts = [box.text for box in ticks if box.line in lines]
        texts = texts or [dot.text for dot in bullets(file) if dot.line in lines]
        made += [one_line(text) for text in texts if text.strip()]
    return once(made)


def _key_files(file: SourceFile, parts: Sequence[tuple[Heading, int]]) -> Iterator[StatedPath]:
    """Yield the key files that the technical details list."""
    for heading, last in parts:
        if _TECHNICAL.match(heading.text):
            yield from files_below(file, heading.line + 1, last, field="key files")


def files_below(file: SourceFile, first: int, last: int, *, field: str) -> Iterator[StatedPath]:
    """Yield the paths behind labels such as `Key files:`, on their line and in the list below, and
    those that are an item of a list by themselves."""
    use: Use | None = None
    for line in file.lines[first - 1 : last]:
        label = _FILES_LINE.match(line.text)
        text = line.text
        if label:
            use = said_use(label["label"], Use.MODIFY)
            text = label["rest"]
        elif text.strip() and not text.lstrip().startswith(("-", "*", "+", "`")):
            use = None
        only = _ONLY_PATH.match(text)
        meant = use or (Use.MODIFY if only and looks_like_path(only[1]) else None)
        for named in named_paths(text, meant) if meant is not None else ():
            yield StatedPath(
                path=named.path, use=named.use, place=file.place(line.number), field=field
            )


def _details(file: SourceFile, body: int, parts: Sequence[tuple[Heading, int]]) -> str:
    """Return the body without its title, its criteria, and what is said of dependencies and effort."""
    left_out: set[int] = set()
    for heading, last in parts:
        if _CRITERIA.match(heading.text) or _ASIDE.match(heading.text):
            left_out.update(range(heading.line, last + 1))
        elif heading.level == 1:
            left_out.add(heading.line)
    kept = (line.text for line in file.lines[body - 1 :] if line.number not in left_out)
    return "\n".join(kept).strip()

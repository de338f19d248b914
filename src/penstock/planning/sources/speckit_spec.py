"""What stands around the tasks of a spec-kit feature: stories, scenarios, tests, prose on order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from penstock.planning.sources.api import Passage
from penstock.planning.sources.markdown import Heading, headings, passage, sections
from penstock.planning.sources.noting import one_line
from penstock.planning.sources.text import Line, SourceFile

_STORY: Final = re.compile(
    r"(?:user\s+story|story|US|用户故事|使用者故事|ユーザーストーリー)\s*[-#]?\s*([0-9]{1,9})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_SCENARIOS: Final = re.compile(
    r"[*_#\s]*(?:Acceptance\s+(?:Scenarios?|Criteria)|验收(?:场景|标准)|驗收(?:場景|標準)"
    r"|受け入れ(?:シナリオ|基準|条件))[*_\s]*[:\uFF1A]?[*_\s]*$",
    re.IGNORECASE,
)
_LISTED: Final = re.compile(r"\s*(?:[-*+]|[0-9]+[.)])\s+(?:\[[ xX]?\]\s+)?(.*)")
_SAYING: Final = re.compile(
    r"\s*(?:[-*>]\s+)?\*{0,2}(?P<what>Independent Test|Checkpoint|Goal|独立测试|獨立測試|独立テスト"
    r"|检查点|檢查點|チェックポイント|目标|目標|ゴール)\*{0,2}\s*[:\uFF1A]\s*\*{0,2}\s*(?P<text>.*)",
    re.IGNORECASE,
)
_GOALS: Final = frozenset({"goal", "目标", "目標", "ゴール"})
_ORDER: Final = re.compile(
    r"depend|execution order|implementation order|依赖|依賴|依存|执行顺序|執行順序|実行順序",
    re.IGNORECASE,
)
_FEATURE: Final = re.compile(r"\b(?:spec|feature)s?\s+#?[0-9]{3}\b", re.IGNORECASE)
_ORDERED: Final = re.compile(r"\b(?:must|before|after|first|depends?|blocks?)\b", re.IGNORECASE)
_EMPHASIS: Final = re.compile(r"\*\*|__")


class Story(msgspec.Struct, frozen=True):
    """A user story of spec.md: its acceptance scenarios, and all of its text."""

    scenarios: tuple[str, ...]
    passage: Passage


class Sayings(msgspec.Struct, frozen=True):
    """What a phase says of itself: how to test it alone, its checkpoint, its goal."""

    acceptance: tuple[str, ...]
    goal: str | None


def stories(spec: SourceFile) -> dict[int, Story]:
    """Return the user stories of a spec.md by number; of two with one number the first."""
    found: dict[int, Story] = {}
    for heading, last in sections(spec, headings(spec)):
        named = _STORY.match(heading.text)
        if named and int(named[1]) not in found:
            text = passage(spec, heading.line, last)
            told = Passage(role="spec", text=text, place=spec.place(heading.line))
            scenarios = tuple(_scenarios(spec.lines[heading.line : last]))
            found[int(named[1])] = Story(scenarios, told)
    return found


def _scenarios(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the items of the lists below a line that announces scenarios."""
    listed: list[str] = []
    within = False
    for line in lines:
        item = _LISTED.match(line.text)
        if _SCENARIOS.match(line.text):
            within = True
        elif within and item:
            listed.append(item[1])
        elif within and listed and line.text.startswith((" ", "\t")) and line.text.strip():
            listed[-1] += " " + line.text
        elif within and line.text.strip():
            within = False
    yield from (_plain(text) for text in listed if text.strip())


def sayings(lines: Sequence[Line]) -> Sayings:
    """Return what the lines of a phase say of its test, checkpoint and goal."""
    acceptance: list[str] = []
    goal: str | None = None
    for index, line in enumerate(lines):
        said = _SAYING.match(line.text)
        if said is None:
            continue
        text = _plain(" ".join([said["text"], *_rest(lines[index + 1 :])]))
        if said["what"].lower() in _GOALS:
            goal = goal or text
        elif text:
            acceptance.append(f"{said['what']}: {text}")
    return Sayings(tuple(acceptance), goal)


def _rest(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the lines that go on a paragraph."""
    for line in lines:
        text = line.text.strip()
        if not text or text.startswith(("#", "-", "*", ">", "|", "`")) or _SAYING.match(text):
            return
        yield text


def _plain(text: str) -> str:
    return one_line(_EMPHASIS.sub("", text))


def order_prose(tasks: SourceFile, made: Sequence[Heading]) -> list[tuple[int, int]]:
    """Return first and last line of each section of a tasks.md that is about order."""
    found: list[tuple[int, int]] = []
    for heading, last in sections(tasks, made):
        inside = found and heading.line <= found[-1][1]
        if _ORDER.search(heading.text) and not inside:
            found.append((heading.line, last))
    return found


def other_features(file: SourceFile) -> Iterator[str]:
    """Yield the lines that speak of the order of features: "Spec 004 MUST be implemented first"."""
    for line in file.lines:
        named = _FEATURE.search(line.text)
        if named and _ORDERED.search(line.text, named.end()):
            yield _plain(line.text.strip().lstrip("-*> "))

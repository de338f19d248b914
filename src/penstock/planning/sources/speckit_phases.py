"""The phases of a spec-kit tasks.md: what each is, and which must be over before the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from penstock.planning.sources.labels import item_key
from penstock.planning.sources.markdown import Heading
from penstock.planning.sources.noting import Keys, slug

SETUP, FOUNDATIONAL, STORY, POLISH, OTHER = "setup", "foundational", "story", "polish", "phase"
_NUMBERED: Final = re.compile(
    r"(?:(?:phase|stage|step|阶段|階段|フェーズ)\s*#?\s*([0-9]+(?:\.[0-9]+)*\+?|[A-Z](?![A-Za-z]))"
    r"|第\s*([0-9一二三四五六七八九十]+)\s*(?:阶段|階段|フェーズ))[\s:\uFF1A.\-\u2013\u2014]*",
    re.IGNORECASE,
)
_STORY: Final = re.compile(
    r"(?:user\s+stor(?:y|ies)|story|US|用户故事|使用者故事|ユーザーストーリー)\s*[-#]?\s*([0-9]{1,9})(?![0-9])",
    re.IGNORECASE,
)
_STORY_ASIDE: Final = re.compile(r"[(\[](?:US|User Story )\s*-?([0-9]{1,9})[)\]]", re.IGNORECASE)
_KINDS: Final = (
    (
        SETUP,
        re.compile(
            r"\bset-?up\b|\binitiali[sz]|初始化|设置|設置|准备|準備|セットアップ", re.IGNORECASE
        ),
    ),
    (FOUNDATIONAL, re.compile(r"\bfoundation|blocking prerequisite|基础|基礎|基盤", re.IGNORECASE)),
    (
        POLISH,
        re.compile(
            r"\bpolish|\bcross-?cutting|收尾|打磨|润色|完善|仕上げ|ポリッシュ", re.IGNORECASE
        ),
    ),
)
_LEAST_GATE: Final = {SETUP: 1, FOUNDATIONAL: 2, STORY: 3, POLISH: 4, OTHER: 1}
_MEDAL: Final = re.compile(
    r"\s*[(\uFF08](?:Priority|优先级|優先度)?\s*[:\uFF1A]?\s*(P[0-9]+)[)\uFF09]"
)
_SIGNS: Final = re.compile(r"\s*[\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]+(?:\s*MVP\b)?\s*")
NO_PHASE: Final = "tasks"


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a tasks.md, from the line `first` to the line `last`.

    `key` is that of its unit (setup, us1). `story` is the number of a user story, `priority` what
    the heading says (P1).
    """

    key: str
    kind: str
    title: str
    first: int
    last: int
    gate: int = 1
    story: int | None = None
    priority: str | None = None


def stretches(found: Sequence[Heading], lines: int) -> Iterator[tuple[Heading | None, int, int]]:
    """Yield what may be phases: heading, first and last line; None for what stands before all.

    Where headings are numbered phases these and all higher ones part the file, else the second
    level does; a user story parts it on any level.
    """
    numbered = [heading.level for heading in found if _NUMBERED.match(heading.text)]
    level = min(numbered, default=2)
    parting = [h for h in found if h.level <= level or _parts(h.text)]
    first = parting[0].line if parting else lines + 1
    if first > 1:
        yield None, 1, first - 1
    for index, heading in enumerate(parting):
        ends = parting[index + 1].line - 1 if index + 1 < len(parting) else lines
        yield heading, heading.line, ends


def _parts(text: str) -> bool:
    return bool(_NUMBERED.match(text) or _STORY.match(text))


def phases(
    found: Sequence[tuple[Heading | None, int, int]], stories: Sequence[int | None]
) -> list[Phase]:
    """Return the phases of stretches that hold tasks.

    `stories` are for each stretch the user story that all of its tasks name, None without one.
    """
    keys = Keys()
    made: list[Phase] = []
    for (heading, first, last), said in zip(found, stories, strict=True):
        title = heading.text if heading else ""
        made.append(_phase(title, first, last, said, keys))
    return _gated(made)


def _phase(text: str, first: int, last: int, said: int | None, keys: Keys) -> Phase:
    """Return a phase, still without its gate."""
    numbered = _NUMBERED.match(text)
    bare = text[numbered.end() :] if numbered else text
    medal = _MEDAL.search(bare)
    title = _SIGNS.sub(" ", _MEDAL.sub("", bare)).strip()
    kind, story = _kind(title, said)
    key = f"us{story}" if story is not None else _key(kind, title, numbered, keys)
    return Phase(
        key=key,
        kind=kind,
        title=title or text.strip() or "Tasks",
        first=first,
        last=last,
        story=story,
        priority=medal[1] if medal else None,
    )


def _kind(title: str, said: int | None) -> tuple[str, int | None]:
    """Return what a phase is, by its title, or by the story that its tasks name."""
    story = _STORY.match(title) or _STORY_ASIDE.search(title)
    if story:
        return STORY, int(story[1])
    for kind, pattern in _KINDS:
        if pattern.search(title):
            return kind, None
    return (STORY, said) if said is not None else (OTHER, None)


def _key(kind: str, title: str, numbered: re.Match[str] | None, keys: Keys) -> str:
    """Return the key of a phase that is no story; each is another unit."""
    if kind != OTHER:
        return keys.take(kind)
    number = numbered[1] if numbered else None
    spare = f"phase-{slug(number)}" if number else item_key(None, title)
    return keys.take(slug(title) or (spare if title or number else NO_PHASE))


def _gated(made: list[Phase]) -> list[Phase]:
    """Return the phases with gates: each waits for those before it, the stories are one gate.

    Setup, foundational, stories and polish have 1, 2, 3 and 4 when nothing else is in between.
    """
    stories = [index for index, phase in enumerate(made) if phase.kind == STORY]
    gated: list[Phase] = []
    last = 0
    for index, phase in enumerate(made):
        among = bool(stories) and stories[0] < index <= stories[-1]
        gate = last if among else max(last + 1, _LEAST_GATE[phase.kind])
        gated.append(msgspec.structs.replace(phase, gate=gate))
        last = gate
    return gated

"""Seeded plans of every dialect with the dirt of the real world, and how many items they have.

The counts come from how a plan was made, not from reading it: they are what readers are held against.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FILES: tuple[str, ...] = (
    *(f"src/area{a}/part{n}.py" for a in range(4) for n in range(6)),
    *(f"web/area{a}/Part{n}.tsx" for a in range(2) for n in range(4)),
    *(f"docs/page{n}.md" for n in range(6)),
    "README.md",
)
"""The files of the repository that plans are for; `src/area1/part2.py` defines `part_1_2`."""
WORDS = (
    "round amounts", "refuse zero", "tell the user", "keep the order", "cache the answer",
    "log it once", "close the file", "处理空输入", "金額を丸める", "Größe prüfen", "naïve café",
    "emoji 🎉 too", "a|b table", "1 < 2 && 3 > 2", "`code` here", "[link](docs/page1.md)", "**bold**",
    "x" * 300, "trailing spaces   ", "tab\there", "quote \"it\" isn't", "and/or so", "v1.2.3",
    "https://example.invalid/a/b.py", "C:\\temp\\x.py", "../outside.py", "/etc/passwd", "~/x.sh",
    ".git/config", "src//area0/./part0.py", "100%", "{braces}", "$(rm -rf)", "<b>html</b>",
)  # fmt: skip
HEADINGS = (
    "Setup", "Core", "第一阶段:准备", "まとめ", "Über alles", "API & UI", "1. Numbered", "Phase 2: More",
    "", "###", "Trailing ##", "`code`", "Setup",
)  # fmt: skip
OPEN, DONE = (" ", " ", " ", "~", "-", "?", "/", ">", "!"), ("x", "X")
MARKERS = ("-", "-", "-", "*", "+", "1.", "2)")


@dataclass(frozen=True)
class Case:
    """One plan: its files by path, the word that means it, and where its items are to go."""

    dialect: str
    seed: int
    word: str
    files: dict[str, bytes]
    total: int
    done: int
    skipped: int


@dataclass
class Page:
    """A text in the making, with the count of its items."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    total: int = 0
    done: int = 0
    skipped: int = 0

    def words(self) -> str:
        """Return what a task says: with a path, a symbol, something new, or nothing of the kind."""
        rng = self.rng
        area, part = rng.randrange(4), rng.randrange(6)
        kinds = (
            f"in `{rng.choice(FILES)}`", f"in {rng.choice(FILES)}", f"in `part_{area}_{part}()`",
            f"create `src/area{area}/new{rng.randrange(9)}.py` (new)", "in src/area1/", "", "",
        )  # fmt: skip
        return f"{rng.choice(WORDS)} {rng.choice(kinds)} {rng.randrange(1000)}"

    def mark(self) -> str:
        """Draw a mark."""
        done = self.rng.random() < 0.25
        self.done += done
        self.total += 1
        return self.rng.choice(DONE if done else OPEN)

    def line(self, *texts: str) -> None:
        """Add lines."""
        self.lines.extend(texts)

    def prose(self) -> None:
        """Add something that is no item."""
        self.line(
            *self.rng.choice(
                (
                    ("", "Some words about it.", ""),
                    ("", "| a | b |", "|---|---|", "| 1 | 2 |", ""),
                    ("", "> quoted words", ""),
                    ("", "```python", "x = [1]", "```", ""),
                    ("", "<!-- a comment -->", ""),
                    ("", "---", ""),
                    ("", "中文说明,没有任务。", ""),
                    ("", "[1]: https://example.invalid/", ""),
                    ("",),
                )
            )
        )

    def raw(self) -> bytes:
        """Return the text with the line ends and the mark of whoever wrote it."""
        end = self.rng.choice(("\n", "\n", "\r\n", "\r\n", "\r"))
        text = end.join(self.lines) + self.rng.choice((end, "", end * 3))
        mark = b"\xef\xbb\xbf" if self.rng.random() < 0.25 else b""
        return mark + text.encode()


def checklist(seed: int) -> Case:
    """A Markdown file of headings and boxes; boxes in fences and comments are samples."""
    page = Page(random.Random(seed))
    if page.rng.random() < 0.3:
        page.line("---", "title: A plan", "odd: [", "---")
    for _ in range(page.rng.randrange(1, 6)):
        page.line(f"{'#' * page.rng.randrange(1, 5)} {page.rng.choice(HEADINGS)}".rstrip(), "")
        for _ in range(page.rng.randrange(0, 8)):
            indent = page.rng.choice(("", "", "", "  ", "    ", "\t"))
            marker = page.rng.choice(MARKERS)
            page.line(f"{indent}{marker} [{page.mark()}] {page.words()}")
            if page.rng.random() < 0.2:
                page.prose()
    page.line("", f"- [ ] at least one {page.words()}")
    page.total += 1
    if page.rng.random() < 0.4:
        page.line("", "```md", "- [ ] a sample", "- [x] another", "```")
        page.total, page.skipped = page.total + 2, page.skipped + 2
    files = {"plans/plan.md": page.raw()}
    return Case("checklist", seed, "plans/plan.md", files, page.total, page.done, page.skipped)


def openspec(seed: int) -> Case:
    """A change; every box counts, in whatever it stands."""
    page = Page(random.Random(seed))
    name = f"change-{seed}"
    for group in range(1, page.rng.randrange(2, 6)):
        page.line(f"## {group}. {page.rng.choice(HEADINGS)}".rstrip(), "")
        for number in range(1, page.rng.randrange(2, 8)):
            label = page.rng.choice((f"{group}.{number} ", f"{group}.{number} ", "", "9.9 "))
            indent = page.rng.choice(("", "", "  ", "\t"))
            marker = page.rng.choice(MARKERS)
            page.line(f"{indent}{marker} [{page.mark()}] {label}{page.words()}")
            if page.rng.random() < 0.2:
                page.prose()
    if page.rng.random() < 0.4:
        page.line("", "```", f"- [{page.mark()}] in a fence", "```")
    folder = f"openspec/changes/{name}"
    why = "Amounts are wrong by fractions of a cent, which auditors have found many times over."
    delta = (
        "## ADDED Requirements\n\n### Requirement: Rounding\nAmounts SHALL be rounded.\n\n"
        "#### Scenario: Half\n- **WHEN** half a cent is left\n- **THEN** it is kept\n"
    )
    files = {
        f"{folder}/tasks.md": page.raw(),
        f"{folder}/proposal.md": f"# {name}\n\n## Why\n{why}\n\n## What Changes\n- It\n".encode(),
        f"{folder}/specs/ledger/spec.md": delta.encode(),
    }
    return Case("openspec", seed, folder, files, page.total, page.done, 0)


def spec_kit(seed: int) -> Case:
    """A feature with phases and stories."""
    page = Page(random.Random(seed))
    folder = f"specs/{seed % 1000:03}-ledger-{seed}"
    page.line("# Tasks: ledger", "")
    titles = ("Setup", "Foundational", "User Story 1 - Round (Priority: P1)", "User Story 2 - Tell")
    for number, title in enumerate((*titles, "Polish"), 1):
        page.line(f"## Phase {number}: {title}", "")
        story = f"[US{number - 2}] " if "Story" in title else ""
        for _ in range(page.rng.randrange(0, 6)):
            parallel = page.rng.choice(("", "[P] "))
            waits = f" (depends on T{page.rng.randrange(1, 40):03})" * (page.rng.random() < 0.15)
            label = page.rng.choice((f"T{page.total + 1:03} ", f"T{page.total + 1:03} ", "", "T1 "))
            page.line(f"- [{page.mark()}] {label}{parallel}{story}{page.words()}{waits}")
        if page.rng.random() < 0.3:
            page.prose()
    page.line(f"- [ ] T999 the last {page.words()}")
    page.total += 1
    files = {f"{folder}/tasks.md": page.raw(), f"{folder}/spec.md": b"# Feature: ledger\n"}
    return Case("spec-kit", seed, folder, files, page.total, page.done, 0)


STATUSES: dict[str, tuple[Any, ...]] = {
    "open": ("pending", "in-progress", "blocked", "PENDING", "someday", "", None, 7),
    "done": ("done", "completed", "Done"),
    "skipped": ("cancelled", "deferred", "review"),
}


def task_master(seed: int) -> Case:
    """A tasks.json with several tags, ids of all kinds and dependencies that lead nowhere."""
    page = Page(random.Random(seed))
    tasks = [_task(page, number) for number in range(1, page.rng.randrange(2, 10))]
    rng = page.rng
    document: dict[str, Any] = {"tasks": tasks}
    if rng.random() < 0.7:
        other = {"tasks": [{"id": 1, "title": "of another tag", "status": "pending"}]}
        document = {"master": {"tasks": tasks, "metadata": {"created": "today"}}, "other": other}
    indent = rng.choice((2, 4, "\t", None))
    text = json.dumps(document, indent=indent, ensure_ascii=rng.random() < 0.5)
    page.lines = text.split("\n")
    files = {".taskmaster/tasks/tasks.json": page.raw()}
    if rng.random() < 0.5:
        files[".taskmaster/state.json"] = b'{"currentTag": "master"}'
    counts = page.total, page.done, page.skipped
    return Case("task-master", seed, ".taskmaster/tasks/tasks.json", files, *counts)


def _status(page: Page) -> Any:
    """Draw a status and count its item."""
    kind = page.rng.choices(("open", "done", "skipped"), (6, 2, 1))[0]
    page.total += 1
    page.done += kind == "done"
    page.skipped += kind == "skipped"
    return page.rng.choice(STATUSES[kind])


def _task(page: Page, number: int) -> dict[str, Any]:
    """Make a task; one with subtasks is as open as they are."""
    rng = page.rng
    made: dict[str, Any] = {
        "id": rng.choice((number, number, str(number), f"{number:02}")),
        "title": page.words(),
        "description": page.words(),
        "priority": rng.choice(("low", "high", "urgent", 3)),
        "dependencies": [
            rng.choice((other, str(other), 99, "5.2", None)) for other in range(max(1, number - 2), number)
        ],
    }  # fmt: skip
    if rng.random() < 0.4:
        count = rng.randrange(1, 5)
        made["status"] = "pending"
        made["subtasks"] = [
            {"id": rng.choice((n, str(n))), "title": page.words(), "status": _status(page),
             "dependencies": [n - 1] if n > 1 else []}
            for n in range(1, count + 1)
        ]  # fmt: skip
    else:
        made["status"] = _status(page)
    if rng.random() < 0.3:
        action = rng.choice(("modify", "reference", "delete", None))
        made["relevantFiles"] = [{"path": rng.choice(FILES), "action": action}]
    return made


CCPM_STATUSES = {
    "open": ("open", "in-progress", "backlog", "open  # for now", "whatever", '"open"'),
    "done": ("closed", "completed", "closed # at last"),
}


def ccpm(seed: int) -> Case:
    """An epic with task files, some of which have an analysis with streams."""
    page = Page(random.Random(seed))
    rng, name = page.rng, f"ledger-{seed}"
    folder = f".claude/epics/{name}"
    files = {f"{folder}/epic.md": f"---\nname: {name}\nstatus: backlog\n---\n# Epic\n".encode()}
    for number in range(1, rng.randrange(2, 8)):
        done = rng.random() < 0.25
        streams = rng.randrange(2, 4) if not done and rng.random() < 0.3 else 0
        page.total += streams or 1
        page.done += done
        files[f"{folder}/{number:03}.md"] = _task_file(rng, number, page.words(), done)
        if streams:
            files[f"{folder}/{number:03}-analysis.md"] = _analysis(rng, number, streams)
    return Case("ccpm", seed, folder, files, page.total, page.done, 0)


def _task_file(rng: random.Random, number: int, words: str, done: bool) -> bytes:
    """Write a task file."""
    page = Page(rng)
    status = rng.choice(CCPM_STATUSES["done" if done else "open"])
    before = [n for n in range(1, number) if rng.random() < 0.3]
    page.line(
        "---",
        f"name: {json.dumps(words)}",
        f"status: {status}",
        f"depends_on: [{', '.join(rng.choice((str(n), f'{n:03}')) for n in before)}]",
        f"parallel: {rng.choice(('true', 'false', 'yes', 'maybe'))}",
        f"conflicts_with: {rng.choice(('[]', '[99]', '[]  # none'))}",
        "---",
        f"# Task: {words}",
        "",
        "## Acceptance Criteria",
        "",
        "- [ ] It holds",
        "- [x] It held",
        "",
        "## Technical Details",
        "",
        f"- `{rng.choice(FILES)}`",
    )
    return page.raw()


def _analysis(rng: random.Random, number: int, streams: int) -> bytes:
    """Write an analysis."""
    page = Page(rng)
    page.line("---", f"issue: {number}", f"title: Analysis of {number}", "---", "")
    for letter in "ABC"[:streams]:
        page.line(
            f"### Stream {letter}: Part {letter}",
            f"**Scope**: what {letter} does",
            "**Files**:",
            f"- {rng.choice(FILES)}",
            "**Can Start**: immediately",
            "**Dependencies**: none",
            "",
        )
    return page.raw()


MAKERS: dict[str, Callable[[int], Case]] = {
    "checklist": checklist,
    "openspec": openspec,
    "spec-kit": spec_kit,
    "task-master": task_master,
    "ccpm": ccpm,
}


def repository_files() -> dict[str, str | bytes]:
    """Return the repository that the plans are for."""
    made: dict[str, str | bytes] = {}
    for name in FILES:
        area, part = name.partition("area")[2][:1], name.partition("part")[2][:1]
        body = (
            f"def part_{area}_{part}() -> int:\n    return {part}\n" if area and part else "# x\n"
        )
        made[name] = body
    return made

"""Makes changes of OpenSpec by a seed, tidy and dirty ones, as people and tools leave them."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

MARKS = (" ", " ", " ", "x", "X", "~", "-", "", " x ", "/", "?", "  ")
MARKERS = ("-", "-", "-", "*", "+", "1.", "2)", "10.")
NAMES = ("Log in", "Log out", "log in", "Password reset", "登录", "ログイン", "Rate limit #", "C#")
AREAS = ("user-auth", "billing/invoices", "search", "api")
SLIPS: tuple[str, ...] = (
    "```",
    "~~~\n",
    "\n",
    "#",
    "[",
    "]",
    "\t",
    "---\n",
    "<!--",
    "-->",
    "`",
    "  ",
    "\n- [x] 1.1 z\n",
)
SLIPS_OF_LINES: tuple[str, ...] = (
    "\n## 2. G\n",
    "\n### Requirement: Q\nIt SHALL\n",
    "\n#### S\nx\n",
)
ROUGH = 0.3
FILLER = (
    "Some prose.",
    "",
    "<!-- a comment -->",
    "| a | b |",
    "- a bullet",
    "1. numbered",
    "***",
)


def write_changes(root: Path, seed: int, count: int) -> list[str]:
    """Write an `openspec` folder with changes and current specs; return the ids of the changes."""
    chance = Random(seed)
    for area in AREAS[:2]:
        _write(root / "openspec" / "specs" / area / "spec.md", main_spec(chance))
    ids = [f"change-{seed}-{number}" for number in range(count)]
    for name in ids:
        write_change(root / "openspec" / "changes" / name, chance)
    _write(
        root / "openspec" / "changes" / "archive" / "2025-01-02-old" / "tasks.md", "- [ ] 1.1 a\n"
    )
    return ids


def write_change(folder: Path, chance: Random) -> None:
    """Write one change."""
    folder.mkdir(parents=True)
    if chance.random() < 0.9:
        _write(folder / "proposal.md", _ended(chance, proposal(chance)))
    if chance.random() < 0.95:
        _write(folder / "tasks.md", _ended(chance, tasks(chance)))
    if chance.random() < 0.5:
        _write(folder / ".openspec.yaml", metadata(chance))
    for area in chance.sample(AREAS, chance.choice((0, 1, 1, 1, 2, 3))):
        _write(folder / "specs" / area / "spec.md", _ended(chance, delta_spec(chance)))
    if chance.random() < 0.1:
        name = chance.choice(("spec.md", "notes.md", "user-auth/delta.md", ".hidden.md"))
        _write(folder / "specs" / name, delta_spec(chance))


def proposal(chance: Random) -> str:
    """Return a proposal in one of the two styles."""
    if chance.random() < 0.5:
        return "# Change: Log in\n\n## Why\nPeople must.\n\n## What Changes\n- login\n"
    return "# Log in\n\n## Intent\nPeople must.\n\n## Scope\nAll.\n\n## Approach\nSoon.\n"


# -- tasks -----------------------------------------------------------------------------------------
def tasks(chance: Random) -> str:
    """Return a file of tasks, with all that is found in such files."""
    lines = ["# Tasks", ""] if chance.random() < 0.7 else []
    if chance.random() < 0.1:
        lines = ["---", "tags:", "  - a", "---", *lines]
    for group in range(1, chance.randint(1, 4) + 1):
        lines.append(
            chance.choice((f"## {group}. Group", f"## {group}. 任务", "## Group", "### Deep"))
        )
        lines += [_task_line(chance, group, n) for n in range(1, chance.randint(0, 6) + 1)]
        lines += chance.choice(([], [], ["```"], ["```", "- [ ] 1.1 fenced", "```"], ["~~~ sh"]))
    return "\n".join(lines) + chance.choice(("", "\n"))


def _task_line(chance: Random, group: int, number: int) -> str:
    if chance.random() < 0.2:
        return chance.choice(
            (*FILLER, "- [link](a.md)", "- [A](b)", "- [ ](c)", "- [WIP] d", "-[ ] e")
        )
    indent = chance.choice(("", "", "", "  ", "\t", "      "))
    own = group if chance.random() < 0.9 else group + 1
    label = chance.choice(
        (f"{own}.{number} ", f"{own}.{number}a ", f"{own}.1 ", "", f"**{own}.1** ")
    )
    marker, mark = chance.choice(MARKERS), chance.choice(MARKS)
    return f"{indent}{marker} [{mark}] {label}do `src/a{number}.py` 実装"


# -- specs -----------------------------------------------------------------------------------------
def main_spec(chance: Random) -> str:
    """Return a current spec."""
    parts = [
        "# Spec",
        "",
        "## Purpose",
        "What it is for, at some length so that nobody complains.",
        "",
    ]
    parts += ["## Requirements", ""]
    parts += [_requirement(chance, name) for name in dict.fromkeys(chance.choices(NAMES, k=4))]
    return "\n".join(parts) + "\n"


def delta_spec(chance: Random) -> str:
    """Return a delta spec with up to four sections, and oddities around them."""
    parts = [chance.choice(("", "# Delta", "### Requirement: Early", "Intro"))]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        title = chance.choice(("ADDED", "MODIFIED", "REMOVED", "RENAMED", "Added"))
        parts.append(chance.choice((f"## {title} Requirements", f"##  {title} Requirements  ")))
        parts += _section(chance, title.upper())
    if chance.random() < 0.1:
        parts += ["## Notes", "### Requirement: Lost", "- it SHALL be lost"]
    return "\n".join(parts) + "\n"


def _section(chance: Random, title: str) -> list[str]:
    names = chance.choices(NAMES, k=chance.choice((0, 1, 1, 2)))
    if title == "REMOVED":
        plain = ("### Requirement: {}", "- `### Requirement: {}`", "* ### Requirement: {}")
        return [chance.choice(plain).format(name) for name in names]
    if title == "RENAMED":
        return [line for name in names for line in _rename(chance, name)]
    odd = [
        ["### Divider"],
        ["### Requirement:"],
        ["```", "### Requirement: Fenced", "```"],
        ["```"],
    ]
    extra = chance.choice(odd) if chance.random() < 0.15 else []
    return [*(_requirement(chance, name) for name in names), *extra]


def _rename(chance: Random, name: str) -> list[str]:
    new = chance.choice(NAMES)
    one, two = f"- FROM: `### Requirement: {name}`", f"- TO: `### Requirement: {new}`"
    return chance.choice(([one, two], [one, two], [one, two], [one], [two], [one, one, two]))


def _requirement(chance: Random, name: str) -> str:
    head = chance.choice(
        ("### Requirement: ", "### Requirement: ", "###Requirement: ", "### requirement:")
    )
    said = (
        "It SHALL work.",
        "It MUST work.",
        "It works.",
        "",
        "**ID**: 7",
        "**Rule**: it MUST",
        "SHALLOW",
    )
    lines = [head + name, chance.choice(said), ""]
    for _ in range(chance.choice((0, 1, 1, 2))):
        lines.append("#### " + chance.choice(("Scenario: Good", "Scenario: Bad ##", "Edge case")))
        lines += chance.choice(
            ([], ["- **WHEN** this", "- **THEN** that"], ["```", "#### no", "```"])
        )
    return "\n".join(lines)


def metadata(chance: Random) -> str:
    """Return an `.openspec.yaml`, most of them right."""
    return chance.choice(
        (
            "schema: spec-driven\ncreated: 2025-01-02\n",
            "schema: spec-driven\nskip_specs: true\n",
            "schema: spec-driven # the default\nskip_specs: false\naffected_areas: [src]\n",
            "schema: spec-driven\nskip_specs: yes\n",
            "schema: nobody-knows\nskip_specs: true\n",
            "skip_specs: true\n",
            "schema: spec-driven\nskip_specs: true\ncreated: yesterday\n",
            "schema: [\nskip_specs: true\n",
            "schema: spec-driven\ngoal: Log in\ninitiative: {store: a, id: b-c}\nskip_specs: true\n",
            "schema: spec-driven\ninitiative: {store: A B, id: b}\nskip_specs: true\n",
            "",
        )
    )


def _ended(chance: Random, text: str) -> str:
    """Return a text with one kind of line end, and a byte order mark now and then: not before a
    group, which the program would not see."""
    text = roughened(chance, text) if chance.random() < ROUGH else text
    mark = chance.choice(("", "", "\ufeff"))
    text = text.replace("\n", chance.choice(("\n", "\n", "\r\n")))
    return text if re.match("## .*[0-9]", text) else mark + text


def roughened(chance: Random, text: str) -> str:
    """Return a text after slips of the keyboard: signs put in, cut out, pasted elsewhere."""
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
        put = chance.choice(
            (chance.choice(SLIPS + SLIPS_OF_LINES), text[other : other + chance.randint(1, 60)], "")
        )
        text = text[:at] + put + text[at + (0 if put else chance.randint(1, 9)) :]
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())

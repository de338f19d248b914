"""A made-up repository of 20,000 files with a history, and plans of 2,000 tasks for it.

The same for the same seed. Files are source text in five languages with definitions that tasks name,
and pages of prose. Of the tasks some name paths, some symbols, some new files, some nothing at all,
and some are done.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

AREAS, MODULES = 100, 200
TASKS, GROUPS = 2_000, 80
CHANGES = 100
COMMITS, TOUCHED = 120, 6
ENDINGS = ("py", "py", "py", "ts", "ts", "go", "rs", "java", "md", "md")
IDENTITY = ("-c", "user.name=Bench", "-c", "user.email=bench@example.invalid", "-c", "gc.auto=0")
_PYTHON = '''"""Module {n} of area {a}."""


class Ledger{a}x{n}:
    """Keeps entries."""

    def settle_{a}_{n}(self, amount: int) -> int:
        """Settle an amount."""
        return amount + {n}


def transfer_{a}_{n}(amount: int) -> int:
    """Transfer an amount."""
    if amount < 0:
        raise ValueError(amount)
    return Ledger{a}x{n}().settle_{a}_{n}(amount)
'''
_TYPESCRIPT = """\
export interface Ledger{a}x{n} {{
  amount: number;
}}

export class Clerk{a}x{n} {{
  settle_{a}_{n}(amount: number): number {{
    return amount + {n};
  }}
}}

export function transfer_{a}_{n}(amount: number): number {{
  return new Clerk{a}x{n}().settle_{a}_{n}(amount);
}}
"""
_GO = """\
package area{a}

type Ledger{a}x{n} struct {{
	Amount int
}}

func (l *Ledger{a}x{n}) Settle_{a}_{n}(amount int) int {{
	return l.Amount + amount
}}

func transfer_{a}_{n}(amount int) int {{
	return (&Ledger{a}x{n}{{}}).Settle_{a}_{n}(amount)
}}
"""
_RUST = """\
pub struct Ledger{a}x{n} {{
    pub amount: i64,
}}

impl Ledger{a}x{n} {{
    pub fn settle_{a}_{n}(&self, amount: i64) -> i64 {{
        self.amount + amount
    }}
}}

pub fn transfer_{a}_{n}(amount: i64) -> i64 {{
    Ledger{a}x{n} {{ amount }}.settle_{a}_{n}({n})
}}
"""
_JAVA = """\
package area{a};

public class Ledger{a}x{n} {{
    private int amount;

    public int settle_{a}_{n}(int other) {{
        return amount + other;
    }}

    static int transfer_{a}_{n}(int other) {{
        return new Ledger{a}x{n}().settle_{a}_{n}(other);
    }}
}}
"""
_PAGE = "# Page {n} of area {a}\n\nWhat the ledger of area {a} does with entry {n}, and why.\n"
TEXTS = {
    "py": _PYTHON,
    "ts": _TYPESCRIPT,
    "go": _GO,
    "rs": _RUST,
    "java": _JAVA,
    "md": _PAGE,
}


class Task(NamedTuple):
    """One task of a plan; `path` is a file that is to be made, None when there is none."""

    text: str
    done: bool
    fresh: str | None = None


def file_name(area: int, module: int) -> str:
    """Return the path of a module."""
    ending = ENDINGS[module % len(ENDINGS)]
    if ending == "java":
        return f"java/area{area}/Ledger{area}x{module}.java"
    folder = "docs" if ending == "md" else "src"
    return f"{folder}/area{area}/module_{area}_{module}.{ending}"


def make_repository(root: Path) -> None:
    """Write the files and the history."""
    rng = random.Random(20)  # noqa: S311 - the same repository each time
    for area in range(AREAS):
        for module in range(MODULES):
            path = root / file_name(area, module)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = TEXTS[path.suffix[1:]].format(a=area, n=module)
            path.write_text(text, encoding="utf-8")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "First")
    for number in range(COMMITS):
        area = rng.randrange(AREAS)
        for _ in range(TOUCHED):
            path = root / file_name(area, rng.randrange(MODULES))
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        git(root, "commit", "-qam", f"Change {number}")


def git(root: Path, *args: str) -> None:
    """Run git in the repository."""
    subprocess.run(["git", *IDENTITY, *args], cwd=root, check=True, capture_output=True)


def tasks(group: int) -> Iterator[Task]:
    """Yield the tasks of one group: of an area of its own, as people write them."""
    rng = random.Random(group)  # noqa: S311 - the same tasks each time
    area = group % AREAS
    for number in range(TASKS // GROUPS):
        module, done = rng.randrange(MODULES), rng.random() < 0.05
        path = file_name(area, module)
        kind = rng.random()
        if kind < 0.45:
            yield Task(f"Round amounts in `{path}` to cents, case {number}", done)
        elif kind < 0.75:
            yield Task(f"Let `transfer_{area}_{module}()` refuse zero, case {number}", done)
        elif kind < 0.85:
            fresh = f"src/area{area}/fresh_{group}_{number}.py"
            yield Task(f"Create `{fresh}` (new) with the report of case {number}", done, fresh)
        else:
            yield Task(f"Say in plain words what happens in case {number}", done)


# -- the plans ---------------------------------------------------------------------------------
def checklist(root: Path) -> str:
    """Write the checklist and return what names it."""
    lines = ["# Plan", ""]
    for group in range(GROUPS):
        lines += [f"## Part {group}", ""]
        lines += [f"- [{'x' if task.done else ' '}] {task.text}" for task in tasks(group)]
        lines += [""]
    (root / "plan.md").write_text("\n".join(lines), encoding="utf-8")
    return "plan.md"


def openspec(root: Path) -> str:
    """Write one large OpenSpec change and return its name."""
    write_change(root, "large-change", range(GROUPS))
    return "openspec/changes/large-change"


def write_change(root: Path, name: str, groups: range) -> None:
    """Write an OpenSpec change with a capability of its own."""
    folder = root / "openspec" / "changes" / name
    (folder / "specs" / name).mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    for number, group in enumerate(groups, 1):
        lines += [f"## {number}. Part {group}", ""]
        for at, task in enumerate(tasks(group), 1):
            lines.append(f"- [{'x' if task.done else ' '}] {number}.{at} {task.text}")
        lines.append("")
    why = "Amounts are wrong by fractions of a cent, which auditors have found many times."
    texts = {
        "tasks.md": "\n".join(lines),
        "proposal.md": f"# Change: {name}\n\n## Why\n\n{why}\n\n## What Changes\n\n- Rounding\n",
        f"specs/{name}/spec.md": (
            "## ADDED Requirements\n\n### Requirement: Round\nAmounts SHALL be rounded.\n\n"
            "#### Scenario: Half a cent\n- **WHEN** half a cent is left\n- **THEN** it is kept\n"
        ),
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")


def spec_kit(root: Path) -> str:
    """Write a spec-kit feature and return its name."""
    folder = root / "specs" / "001-rounding"
    folder.mkdir(parents=True, exist_ok=True)
    lines, number = ["# Tasks: rounding", ""], 0
    for group in range(GROUPS):
        title = "Setup" if not group else f"User Story {group} - Part {group} (Priority: P2)"
        lines += [f"## Phase {group + 1}: {title}", ""]
        for task in tasks(group):
            number += 1
            story = f"[US{group}] " if group else ""
            mark = "x" if task.done else " "
            lines.append(f"- [{mark}] T{number:04} [P] {story}{task.text}")
        lines.append("")
    (folder / "tasks.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "spec.md").write_text("# Feature: rounding\n", encoding="utf-8")
    return "specs/001-rounding"


def task_master(root: Path) -> str:
    """Write a tasks.json and return its name."""
    found = []
    for group in range(GROUPS):
        subtasks = [
            {"id": at, "title": task.text, "status": "done" if task.done else "pending",
             "dependencies": [at - 1] if at % 5 == 0 else []}
            for at, task in enumerate(tasks(group), 1)
        ]  # fmt: skip
        found.append(
            {"id": group + 1, "title": f"Part {group}", "description": "Rounding",
             "status": "pending", "priority": "medium", "subtasks": subtasks,
             "dependencies": [group] if group % 7 == 1 else []}
        )  # fmt: skip
    folder = root / ".taskmaster" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"master": {"tasks": found, "metadata": {}}}
    (folder / "tasks.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return ".taskmaster/tasks/tasks.json"


def ccpm(root: Path) -> str:
    """Write an epic of 2,000 task files and return its name."""
    folder = root / ".claude" / "epics" / "rounding"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "epic.md").write_text("---\nname: rounding\nstatus: backlog\n---\n# Epic\n")
    number = 0
    for group in range(GROUPS):
        for task in tasks(group):
            number += 1
            status = "closed" if task.done else "open"
            text = (
                f"---\nname: {task.text!r}\nstatus: {status}\ndepends_on: []\nparallel: true\n---\n"
                f"# Task: {task.text}\n\n## Acceptance Criteria\n\n- [ ] It holds\n"
            )
            (folder / f"{number:03}.md").write_text(text, encoding="utf-8")
    return ".claude/epics/rounding"


PLANS: dict[str, Callable[[Path], str]] = {
    "checklist": checklist,
    "OpenSpec": openspec,
    "spec-kit": spec_kit,
    "task-master": task_master,
    "CCPM": ccpm,
}

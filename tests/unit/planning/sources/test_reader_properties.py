"""Whatever a plan holds, every item of it comes out once, and the same each time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.planning.sources.api import ItemState, PlanSource
from tests.support.plan_readers import document, epic, feature, sound

WORDS = st.sampled_from(
    [
        "src/a.py",
        "x",
        "处理空输入",
        "(depends on T001)",
        "T002",
        "[P]",
        "[US1]",
        "Stream A",
        "`b`",
        "#1",
        "",
    ]
) | st.text(max_size=12)
IDS: st.SearchStrategy[Any] = st.sampled_from(
    [1, 2, 3, "1", "02", "2.1", "1.1", "#3", "x", None, True, "", 1.5, [], {}]
)
STATUSES = st.sampled_from(["pending", "done", "deferred", "cancelled", "review", "odd", None, 3])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own for each example."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def twice(read: Callable[[Path], PlanSource]) -> PlanSource:
    """Read a plan in two places: the same plan, and a sound one."""
    with folder() as one, folder() as two:
        made, again = read(one), read(two)
    assert made == again
    sound(made)
    return made


# -- task-master -----------------------------------------------------------------------------------
def tasks(depth: int) -> st.SearchStrategy[Any]:
    """Lists of tasks with subtasks, and of what is none."""
    inner = tasks(depth - 1) if depth else st.none() | st.just([])
    fields = st.fixed_dictionaries(
        {},
        optional={
            "id": IDS,
            "title": WORDS | IDS,
            "status": STATUSES,
            "dependencies": st.lists(IDS, max_size=4) | IDS,
            "subtasks": inner,
            "relevantFiles": st.lists(
                st.fixed_dictionaries({"path": WORDS | IDS}) | IDS, max_size=2
            ),
            "scopeBoundaries": st.fixed_dictionaries(
                {"excluded": WORDS | st.lists(WORDS, max_size=2)}
            ),
            "testStrategy": WORDS,
        },
    )
    return st.lists(fields | WORDS | IDS, max_size=4)


def leaves(entry: Any) -> int:
    """How many items a task is, counted without the reader."""
    subtasks = entry.get("subtasks") if isinstance(entry, dict) else None
    return sum(map(leaves, subtasks)) if subtasks else 1


@settings(max_examples=150, deadline=None)
@given(tasks(2))
def test_every_task_and_subtask_is_an_item(given_tasks: list[Any]) -> None:
    """However odd its fields are."""
    text = json.dumps({"master": {"tasks": given_tasks}}, indent=1)
    made = twice(lambda path: document(path, text))
    assert len(made.items) == sum(map(leaves, given_tasks))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=60)
    | st.recursive(IDS, st.lists, max_leaves=8).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_read_or_refused_as_tasks(raw: bytes) -> None:
    """Never with another error."""
    with folder() as path, suppress(UsageError):
        sound(document(path, raw))


# -- spec-kit --------------------------------------------------------------------------------------
HEADINGS = st.sampled_from(
    ["## Phase 1: Setup", "## Phase 2: Foundational", "## Phase 3: User Story 1 - x", "### Tests", "# Tasks",
     "## Phase 4: User Story 1", "## Phase 5: Polish", "## Dependencies", "## 第三阶段", "## ", "Title\n====="]
)  # fmt: skip
BOXES = st.builds(
    "{}{} [{}] {} {}".format,
    st.sampled_from(["", "  ", "\t"]),
    st.sampled_from(["-", "*", "+", "1.", "2)"]),
    st.sampled_from([" ", "", "x", "X", "~", "-", "✓"]),
    st.sampled_from(["T001", "T002", "T003 [P]", "T3", "[US1]", ""]),
    st.sampled_from(["do it", "(depends on T001-T003)", "after T002", "in src/a.py", "", "处理"]),
)
PROSE = st.sampled_from(
    ["", "text", "**Goal**: x", "**Checkpoint**: y", "T001 blocks T002", "---", "| a |", "- T009 x"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(HEADINGS | BOXES | PROSE, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_box_is_an_item(lines: list[str], end: str) -> None:
    """Wherever it stands and whatever is written in it."""
    wanted = sum("[" in line.lstrip(" \t-*+12.)")[:1] for line in lines)
    text = end.join(line.replace("\n", end) for line in lines).encode()
    made = twice(lambda path: feature(path, text))
    assert len(made.items) == wanted
    assert sum(each.state is ItemState.DONE for each in made.items) == sum(
        "[x]" in line or "[X]" in line for line in lines
    )


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_as_a_feature(raw: bytes, spec: bytes) -> None:
    """Never with another error; the files around matter less."""
    with folder() as path, suppress(UsageError):
        sound(feature(path, raw, spec=spec))


@settings(max_examples=60, deadline=None)
@given(st.lists(HEADINGS | BOXES, min_size=5, max_size=25))
def test_gates_never_lead_backwards(lines: list[str]) -> None:
    """They grow with the lines, but for phases of a story that was begun before."""
    made = twice(lambda path: feature(path, "\n".join(lines)))
    gates = [unit.gate for unit in made.units]
    assert gates == sorted(gates)


# -- CCPM ------------------------------------------------------------------------------------------
STEMS = st.sampled_from(["1", "2", "003", "4", "bug-2-x", "odd-name"])
VALUES = st.sampled_from(
    ["open", "closed", "[1, 2]", "[#1]", "#2", "003", "true", "maybe", "[", "{a: b}", "&x *x", "- 1", "none", "''"]
) | st.text(max_size=8)  # fmt: skip
FIELDS = st.sampled_from(
    ["name", "status", "depends_on", "conflicts_with", "parallel", "github", "x"]
)
HEADS = st.lists(st.builds("{}: {}".format, FIELDS, VALUES), max_size=6)
STREAMS = st.lists(
    st.builds(
        "### Stream {}: {}\n**Files**: {}\n**Dependencies**: {}\n".format,
        st.sampled_from("ABC"),
        WORDS.filter(str.isprintable),
        WORDS.filter(str.isprintable),
        st.sampled_from(["none", "Stream A", "B, C", "#2", "Stream Z", ""]),
    ),
    max_size=4,
)


def _file(head: list[str]) -> str:
    """A task file."""
    return "\n".join(
        ["---", *head, "depends_on: [1]", "status: open", "---", "# Task: x", "- [ ] y"]
    )


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(STEMS, HEADS, max_size=5), STREAMS, VALUES)
def test_every_task_file_or_stream_is_an_item(
    heads: dict[str, list[str]], streams: list[str], status: str
) -> None:
    """However odd its frontmatter is."""
    files = {f"{stem}.md": _file(head) for stem, head in heads.items()}
    files |= {"1-analysis.md": "---\nissue: 1\n---\n" + "\n".join(streams)}
    files |= {"epic.md": f"---\nname: x\nstatus: {status}\n---\n"}
    made = twice(lambda path: epic(path, files))
    lost = "unread-file" in [n.code for n in made.notices]
    assert len(made.items) == len(heads) + max(0, len(streams) - 1) * ("1" in heads) - lost


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=60))
def test_any_bytes_are_read_as_an_epic(task: bytes, analysis: bytes, mapping: bytes) -> None:
    """A file that cannot be read is counted and told."""
    files = {"1.md": task, "1-analysis.md": analysis, "github-mapping.md": mapping, "epic.md": task}
    with folder() as path:
        made = epic(path, files)
    sound(made)
    assert made.items


# -- sizes -----------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["spec-kit", "task-master", "ccpm"])
def test_a_file_of_five_megabytes_is_read(dialect: str, tmp_path: Path) -> None:
    """With all of its items; no time is promised on a busy machine, only an end."""
    filler = "words " * 80
    if dialect == "spec-kit":
        text = "".join(
            f"- [ ] T{n:05} {filler}(depends on T{n - 1:05})\n" for n in range(1, 10_500)
        )
        made, size = feature(tmp_path, "- [x] T00000 x\n" + text), len(text)
    elif dialect == "task-master":
        many = [
            {"id": n, "title": filler, "status": "pending", "dependencies": [n - 1]}
            for n in range(9_500)
        ]
        text = json.dumps({"tasks": many}, indent=2)
        made, size = document(tmp_path, text), len(text)
    else:
        text = (
            f"---\nname: x\nstatus: open\n---\n## Acceptance Criteria\n{f'- [ ] {filler}' * 10_500}"
        )
        made, size = epic(tmp_path, {"1.md": text}), len(text)
    assert size > 5_000_000
    assert len(made.items) == {"spec-kit": 10_500, "task-master": 9_500, "ccpm": 1}[dialect]

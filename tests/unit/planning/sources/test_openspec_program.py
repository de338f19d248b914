"""What the openspec program says is compared, and told only where it differs from our reading."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.planning.sources.api import PlanSource
from penstock.planning.sources.openspec_program import Run, cross_check
from tests.support.plan_texts import checklist, read_change, read_one, write_change

ERROR = {"level": "ERROR", "path": "user-auth/spec.md", "message": "Too old"}


def answering(total: int = 2, *, valid: bool = True, issues: Sequence[Any] = ()) -> Run:
    """A program that counts so many tasks, one of them done, and judges like this."""
    counted = {"name": "add-login", "completedTasks": 1, "totalTasks": total, "status": "x"}
    verdict = {"id": "add-login", "type": "change", "valid": valid, "issues": list(issues)}

    def run(args: Sequence[str]) -> tuple[int, str]:
        answer = {"changes": [counted]} if args[0] == "list" else {"items": [verdict]}
        return int(not valid), json.dumps(answer)

    return run


def saying(text: str | None) -> Run:
    """A program that prints something else, or gives no answer."""
    return lambda _args: None if text is None else (0, text)


def told(source: PlanSource, run: Run) -> list[str]:
    """What is told about a change."""
    notices = cross_check([source], run)
    assert {notice.code for notice in notices} <= {"openspec-differs"}
    return [notice.text for notice in notices]


def test_nothing_is_told_where_both_agree(tmp_path: Path) -> None:
    """Of counts and of the verdict."""
    assert told(read_change(tmp_path), answering()) == []


def test_other_counts_are_told(tmp_path: Path) -> None:
    """With both of them."""
    (text,) = told(read_change(tmp_path), answering(3))
    assert "counts 1 of 3 tasks as done, penstock 1 of 2" in text


def test_errors_that_only_the_program_finds_are_told(tmp_path: Path) -> None:
    """Its reasons, a few of them; advice is none."""
    run = answering(valid=False, issues=[ERROR] * 9 + [{"level": "INFO", "message": "x"}])
    texts = told(read_change(tmp_path), run)
    assert len(texts) == 5
    assert texts[0].endswith("rejects it: user-auth/spec.md: Too old")


def test_errors_that_only_we_find_are_told(tmp_path: Path) -> None:
    """The reading stands."""
    source = read_change(tmp_path, {"specs/user-auth/spec.md": None})
    (text,) = told(source, answering())
    assert "finds no error" in text


def test_both_rejecting_is_agreement(tmp_path: Path) -> None:
    """The reasons are ours."""
    source = read_change(tmp_path, {"specs/user-auth/spec.md": None})
    assert told(source, answering(valid=False, issues=[ERROR])) == []


@pytest.mark.parametrize(
    "text",
    [None, "", "not JSON", "[]", '{"changes": 1, "items": 1}', '{"changes": [], "items": []}'],
)
def test_a_program_that_does_not_answer_changes_nothing(tmp_path: Path, text: str | None) -> None:
    """Not installed, another version, a change it does not know."""
    assert told(read_change(tmp_path), saying(text)) == []


def test_the_program_is_not_asked_about_what_it_does_not_know(tmp_path: Path) -> None:
    """Other dialects, archived changes, folders elsewhere: it is not even started."""

    def run(args: Sequence[str]) -> tuple[int, str]:
        raise AssertionError(args)

    folder = "openspec/changes/archive/2025-01-02-add-login"
    archived = read_one(write_change(tmp_path, folder=folder), folder)
    assert cross_check([checklist("- [ ] a\n"), archived], run) == ()

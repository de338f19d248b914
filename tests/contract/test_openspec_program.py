"""The real openspec program and our reader see the same tasks and the same faults."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from penstock.planning.sources.api import ItemState, Notice, PlanSource, Severity
from penstock.planning.sources.openspec_program import Issue, cross_check, judged, listed
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import locate
from tests.support.openspec_changes import write_changes
from tests.support.planners import openspec_in

CHANGES = 80
CODES = {
    "no-delta-section": r"No delta sections found",
    "empty-delta-section": r"no requirement entries parsed",
    "unpaired-rename": r"^RENAMED (FROM|TO): .* has no matching",
    "requirement-without-text": r"is missing requirement text|must contain SHALL or MUST",
    "requirement-without-scenario": r"must include at least one scenario",
    "duplicate-requirement": r"^Duplicate (requirement|FROM|TO) in",
    "conflicting-deltas": r"present in both|references old name|collides with ADDED",
    "lost-scenarios": r"omits scenario",
    "misplaced-deltas": r"^Delta spec found at",
    "bad-change-metadata": r"the marker is not honored",
    "skip-specs-conflict": r"skip_specs is set in .openspec.yaml but",
    "no-deltas": r"^Change must have at least one delta",
    "nested-change": r"is not a change",
    "no-shall": r"should contain SHALL or MUST",
    "orphaned-requirement": r"is not a delta section, so it is ignored",
    "task-numbering": r"its leading number points to group",
    "duplicate-id": r"is duplicated; it was first declared",
    "no-boxes": r"counts as 0 tasks",
}
WITHOUT_COUNTERPART = {
    "unread-box",
    "no-tasks",
    "no-why",
    "broken-yaml",
    "odd-change-metadata",
}


def read_all(root: Path) -> dict[str, PlanSource]:
    """All changes of a repository as we read them, by id."""
    found = locate(["openspec"], root, root, stdin=bytes)
    return {source.id: source for source in (read_source(each, root) for each in found)}


def code_of(issue: Issue) -> str:
    """Our code for what the program says."""
    found = [code for code, words in CODES.items() if re.search(words, issue.message)]
    assert len(found) == 1, issue
    return found[0]


def theirs(issues: Iterable[Issue]) -> Counter[tuple[str, str]]:
    """What the program finds wrong: how often each level and code."""
    return Counter((i.level.lower(), code_of(i)) for i in issues if i.level != "INFO")


def ours(notices: Iterable[Notice]) -> Counter[tuple[str, str]]:
    """What we find wrong, as far as the program speaks of such things."""
    kept = (n for n in notices if n.code not in WITHOUT_COUNTERPART)
    return Counter((n.severity.value, n.code) for n in kept if n.severity is not Severity.INFO)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_program_and_we_agree_on_generated_changes(tmp_path: Path, seed: int) -> None:
    """Of tidy and dirty changes both list the same, count the same and find the same faults."""
    root = tmp_path / "repo"
    ids = write_changes(root, seed, CHANGES)
    run = openspec_in(root, tmp_path / "home")
    counts, verdicts, sources = listed(run), judged(run), read_all(root)
    assert counts is not None
    assert verdicts is not None
    assert set(ids) == set(counts) == set(verdicts) == set(sources)
    for name, source in sources.items():
        done = sum(item.state is ItemState.DONE for item in source.items)
        assert (done, len(source.items)) == (counts[name].completed_tasks, counts[name].total_tasks)
        assert ours(source.notices) == theirs(verdicts[name].issues), name
    assert cross_check(tuple(sources.values()), run) == ()

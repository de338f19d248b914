"""Over a long history of edits, checks with a cache say what checks without one say.

PENSTOCK_HISTORY_SEED=7 PENSTOCK_HISTORY_EDITS=2000 pytest tests/campaign/test_check_history.py
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from penstock.checks.api import InspectionRequest, Place, ResultCache
from penstock.checks.inspection.engine import ErrorEngine
from penstock.checks.inspection.project import list_project
from penstock.checks.plugins.loading import PluginManager
from penstock.model.inspection import CheckReport, PluginState
from penstock.store.checkcache import NoCache, open_check_cache
from tests.support.checkers import use_checkers
from tests.support.histories import History

SEED = int(os.environ.get("PENSTOCK_HISTORY_SEED", "20261121"))
EDITS = int(os.environ.get("PENSTOCK_HISTORY_EDITS", "200"))
FILES = 60
ALWAYS = ("python_ruff", "wordcheck", "usecheck")
NOW_AND_THEN = {5: "codespell", 40: "python_mypy"}
"""Slower ones, by how many edits lie between."""


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """A project, with its checkers on PATH and no configuration of the user's."""
    use_checkers(monkeypatch, "ruff", "codespell", "mypy")
    made = History(tmp_path.resolve(), SEED)
    monkeypatch.setenv("PATH", os.pathsep.join((str(made.bin), os.environ["PATH"])))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return made


def inspect(history: History, cache: ResultCache, only: tuple[str, ...], own: str) -> CheckReport:
    """Check the whole project; `own` names where the tools keep their own results."""
    manager = PluginManager(history.root, history.plugins, entry_points=False)
    engine = ErrorEngine(manager, cache, history.outer / own)
    place = Place(tree=history.root, root=history.root)
    listing = list_project(place)
    request = InspectionRequest(place=place, files=listing, only=only, listing=listing)
    return engine.inspect(request)


def said(report: CheckReport) -> dict[str, object]:
    """What a report says of each file, however it came to know; and which plugins failed.

    Of a plugin that failed (its configuration was edited to death) no findings are compared: how
    many files it still answers for depends on how they were batched.
    """
    assert report.problems == ()
    failed = {use.plugin_id for use in report.plugins if use.state is PluginState.FAILED}
    told: dict[str, object] = {
        result.path: (
            result.status if not failed else None,
            [found for found in result.findings if found.tool not in failed],
            result.suppressed,
        )
        for result in report.files
    }
    return {"failed": failed, **told}


def wanted(step: int) -> tuple[str, ...]:
    """The plugins that look at the project after an edit."""
    return (*ALWAYS, *(name for every, name in NOW_AND_THEN.items() if step % every == 0))


@pytest.mark.slow
def test_the_cache_never_makes_a_difference(history: History) -> None:
    """After each edit, of whatever kind, both runs report the same, and most of it was known."""
    cache_file, known, looked_at = history.outer / "checks.db", 0, 0
    assert len(history.files()) >= FILES
    for step in range(EDITS):
        what = history.edit() if step else "nothing yet"
        with closing(open_check_cache(cache_file)) as cache:
            cached = inspect(history, cache, wanted(step), "tools")
        fresh = inspect(history, NoCache(), wanted(step), "tools-of-the-other")
        assert said(cached) == said(fresh), f"edit {step} of seed {SEED}: {what}"
        if step:
            known += sum(use.cached for use in cached.plugins)
            looked_at += sum(use.files for use in cached.plugins)
    assert known > looked_at // 2


@pytest.mark.slow
def test_the_history_has_findings_to_lose(history: History) -> None:
    """Every checker finds something in the project, so that a lost finding would show."""
    report = inspect(history, NoCache(), (*ALWAYS, *NOW_AND_THEN.values()), "tools")
    tools = {found.tool for result in report.files for found in result.findings}
    assert tools >= {"usecheck", "wordcheck", "python_ruff", "python_mypy"} or len(tools) >= 4

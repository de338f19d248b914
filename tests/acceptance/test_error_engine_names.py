"""The error engine under its documented names."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from penstock.errors import UsageError
from tests.support.finder import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with a good and a bad file, in which we stand."""
    made = Project(tmp_path)
    made.write(good="all is well\n", deep__bad="BAD\n")
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.root)
    return made


def test_one_file_gives_one_report(project: Project) -> None:
    """The report has the documented keys; a second time it comes from the cache."""
    engine = penstock.PipelineEngine()
    report = engine.process_file("deep/bad.txt")
    assert (report["file_in"], report["status"]) == ("deep/bad.txt", "FAILED")
    assert report["issues"][0].message == "a bad word"
    assert {"run_id", "toolchain", "summary", "unavailable", "timestamp_utc"} <= report.keys()
    project.checked()
    again = engine.process_file(project.root / "deep" / "bad.txt")
    assert (again["cached"], again["status"], project.checked()) == (True, "FAILED", [])


def test_many_files_and_folders(project: Project, tmp_path: Path) -> None:
    """Each file gets a report, also of a repository in which one does not stand."""
    engine = penstock.PipelineEngine(root=project.root)
    reports = engine.process_files(["good.txt", "deep"])
    assert [report["file_in"] for report in reports] == ["deep/bad.txt", "good.txt"]


def test_what_is_no_file(project: Project) -> None:
    """A path that cannot be taken is a mistake."""
    with pytest.raises(UsageError, match=r"none\.txt"):
        penstock.PipelineEngine().process_file("none.txt")
    (project.root / "empty").mkdir()
    with pytest.raises(UsageError, match="no file"):
        penstock.PipelineEngine().process_file("empty")


def test_the_cache_says_what_was_set_aside(project: Project, tmp_path: Path) -> None:
    """A JSON cache of the earlier implementation is set aside when it is loaded, and used no more."""
    old = tmp_path / "cache.json"
    old.write_text("{}\n" * 200)
    cache = penstock.FileHashCache(old)
    assert any("set aside" in note for note in cache.load())
    report = penstock.PipelineEngine(cache).process_file("good.txt")
    cache.save()
    assert report["status"] == "PASSED"
    assert penstock.FileHashCache(old).load() == ()


def test_the_plugin_manager_finds_the_users_plugins(project: Project) -> None:
    """It loads the built-in plugins and those of PIPELINE_ERROR_PLUGINS_PATH."""
    manager = penstock.PluginManager(project.root)
    ids = [plugin.manifest.plugin_id for plugin in manager.load()]
    assert {"words", "python_ruff", "python_mypy"} <= set(ids)
    assert manager.problems == ()

"""`aim scan all|duplicates|caches|clean|restore`: what a user sees and what becomes of the files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penstock.audit.api import EventType, Query
from penstock.wiring import open_workspace
from tests.support.cli import make_repository
from tests.support.packages import Aim
from tests.support.registries import write_config
from tests.support.repos import git
from tests.support.scanning import tree
from tests.support.terminal import on_terminal, shown

BIG = bytes(range(256)) * 800
AIM = (sys.executable, "-m", "penstock.aim_cli")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that we stand in, with a home of its own."""
    folder = make_repository(tmp_path / "r")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("AIM_REGISTRY_PATH", raising=False)
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return Path(os.path.realpath(folder))


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim` in this process."""
    return Aim(capsys)


def recorded(kind: EventType = EventType.SCAN_EXECUTE) -> list[str]:
    """The messages of the audit trail about scans, oldest first."""
    with open_workspace() as workspace:
        found = list(workspace.recorded.query(Query(event_type=kind)))
    return [str(entry.message) for entry in found][::-1]


# -- looking -----------------------------------------------------------------------------------
def test_duplicates_on_the_screen(repo: Path, aim: Aim) -> None:
    """Each set with its files and what it wastes, and a sum; a scan that finds some exits 0."""
    tree(repo, {"a": BIG, "d/b": BIG, "small": "1", "smaller": "1"})
    said = aim("scan", "duplicates")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("2 files of 204.8 kB, 204.8 kB wasted, SHA-256 ")
    assert lines[1:3] == ["    a", "    d/b"]
    assert lines[3].startswith("1 set of duplicates, 204.8 kB wasted (")
    assert aim("scan", "duplicates", "d").out.startswith("No duplicates (1 file, ")


def test_duplicates_of_a_size_and_kind(repo: Path, aim: Aim) -> None:
    """`--min-size` and `--extension`, in the shape that is documented."""
    tree(repo, {"a.py": "11", "b.py": "11", "c.txt": "11"})
    found = aim("scan", "duplicates", "--min-size", "0", "-e", "py", "--json").json
    (one,) = found["duplicates"]
    assert set(one) == {"file_hash", "files", "size_bytes", "wasted"}
    assert one["files"] == [str(repo / "a.py"), str(repo / "b.py")]
    assert {"misplaced_caches", "total_scanned_files", "total_scanned_bytes", "total_wasted_mb",
            "total_cache_mb"} < set(found)  # fmt: skip
    assert aim("scan", "duplicates", "-j").json["duplicates"] == []


def test_caches_on_the_screen(repo: Path, aim: Aim) -> None:
    """With whether they may go; ignored folders are looked through, the central cache is not."""
    write_config(repo, {"environment": {"centralCache": ".central",
                                        "scanner": {"cachePatterns": ["*.mine"]}}})  # fmt: skip
    tree(repo, {".gitignore": "tmp/\n", "tmp/__pycache__/a": "1", ".claude/b": "1", "x.mine/c": "12",
                ".central/.mypy_cache/d": "1", ".state/tools/.ruff_cache/e": "1"})  # fmt: skip
    said = aim("scan", "caches")
    rows = [line.split() for line in said.out.splitlines()[:4]]
    assert rows[0] == ["SIZE", "FILES", "CLEAN", "PATH"]
    assert rows[1] == ["2", "B", "1", "yes", "x.mine"]
    assert sorted(row[3:] for row in rows[2:]) == [["no", ".claude"], ["yes", "tmp/__pycache__"]]
    assert said.out.endswith("aim scan clean\n")
    assert aim("scan", "caches", ".central").out.startswith("No misplaced caches")


def test_all_of_it_in_one_walk(repo: Path, aim: Aim) -> None:
    """Duplicates, then caches; the trail keeps the figures."""
    tree(repo, {"a": BIG, "b": BIG, "__pycache__/c": "1"})
    said = aim("scan", "all")
    assert "1 set of duplicates" in said.out
    assert "1 misplaced cache" in said.out
    assert recorded()[-1].endswith("1 set of duplicates, 1 misplaced cache")
    found = aim("scan", "all", "--json").json
    assert len(found["duplicates"]) == len(found["misplaced_caches"]) == 1


def test_only_the_first_are_shown(repo: Path, aim: Aim) -> None:
    """Unless all are asked for."""
    tree(repo, {f"d{n}/__pycache__/a": "1" for n in range(25)})
    assert "... and 5 more caches; see --all" in aim("scan", "caches").out
    assert aim("scan", "caches", "--all").out.count("__pycache__") == 25


def test_ignored_files_and_configured_roots(repo: Path, aim: Aim) -> None:
    """.aiignore, the scanner's own patterns and its roots count; `--no-ignore` looks at all but own."""
    write_config(repo, {"environment": {"scanner": {"roots": ["d", "none"], "ignore": ["*.own"],
                                                    "minSizeKB": 0}}})  # fmt: skip
    tree(repo, {"d/.aiignore": "x\n", "d/x": "1", "d/y": "1", "d/z.own": "1", "e": "1"})
    said = aim("scan", "duplicates")
    assert said.out.startswith("No duplicates (2 files")
    assert said.err == f"Not looked at: {repo / 'none'}: No such file or directory\n"
    assert aim("scan", "duplicates", "--no-ignore").out.splitlines()[1:3] == [
        f"    {repo / 'd/x'}",
        f"    {repo / 'd/y'}",
    ]


def test_a_folder_that_is_none(repo: Path, aim: Aim) -> None:
    """Exit 2, and what to name instead."""
    said = aim("scan", "all", "README.md")
    assert said.code == 2
    assert "is not a folder" in said.err
    assert "Name folders" in said.err


def test_outside_of_a_repository_nothing_is_left_behind(
    repo: Path, aim: Aim, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A look into a folder makes no audit trail in it; duplicates are found all the same."""
    top = tree(tmp_path / "plain", {"a": BIG, "b": BIG})
    monkeypatch.chdir(top)
    assert "1 set of duplicates" in aim("scan", "all").out
    assert sorted(path.name for path in top.iterdir()) == ["a", "b"]


def test_a_scan_that_cannot_be_recorded_warns(repo: Path, aim: Aim) -> None:
    """It only looked, so it is not an error; a cleaning that cannot be recorded moves nothing."""
    (repo / ".AIM_ai-tools-registry").write_text("in the way")
    tree(repo, {"__pycache__/a": "1"})
    said = aim("scan", "caches")
    assert said.code == 0
    assert said.err.startswith("Warning: this scan is not in the audit trail: ")
    assert aim("scan", "clean", "--yes").code == 2
    assert (repo / "__pycache__/a").exists()


def test_a_home_that_cannot_be_used_keeps_no_hashes(
    repo: Path, aim: Aim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan does without."""
    (repo.parent / "file").write_text("")
    monkeypatch.setenv("AIM_HOME", str(repo.parent / "file"))
    tree(repo, {"a": BIG, "b": BIG})
    assert "1 set of duplicates" in aim("scan", "all").out


def test_hashes_are_kept_for_the_next_scan(repo: Path, aim: Aim) -> None:
    """Of large files that have not just been written, in the user's own folder, for the user alone."""
    tree(repo, {"a": BIG * 2, "b": BIG * 2})
    aim("scan", "duplicates")
    place = repo.parent / "aim" / "scan_index.db"
    assert place.stat().st_mode & 0o777 == 0o600
    place.write_bytes(b"rubbish" * 1000)
    assert "1 set of duplicates" in aim("scan", "duplicates").out


# -- cleaning ----------------------------------------------------------------------------------
def test_a_dry_run_changes_nothing(repo: Path, aim: Aim) -> None:
    """It says what would go and why, and what is left alone and why."""
    tree(repo, {"__pycache__/a": "1", "d/__pycache__/b": "1"})
    git(repo, "add", "-f", "d")
    said = aim("scan", "clean", "--dry-run")
    assert said.code == 0
    assert "__pycache__: a cache (__pycache__) that its tool makes anew" in said.out
    assert "Left alone: d/__pycache__: git tracks it" in said.out
    assert (repo / "__pycache__/a").exists()
    assert not (repo.parent / "aim" / "trash").exists()


def test_cleaning_and_undoing_it(repo: Path, aim: Aim) -> None:
    """What went comes back with the command that is named; both are in the trail."""
    tree(repo, {"__pycache__/a": "1", ".mypy_cache/b": "1", "x": BIG, "y": BIG})
    said = aim("scan", "clean", "--yes", "-p", "__pycache__", "--duplicates")
    assert said.code == 0, said.err
    assert not (repo / "__pycache__").exists()
    assert (repo / ".mypy_cache").exists()
    assert (repo / "x").exists() != (repo / "y").exists()
    command = next(line for line in said.out.splitlines() if line.startswith("Put back: aim "))
    assert aim("scan", "restore", "--list").out.count(command.split()[-1]) == 1
    assert aim(*command.split()[3:]).code == 0
    assert (repo / "__pycache__/a").read_text() == "1"
    assert (repo / "x").read_bytes() == (repo / "y").read_bytes() == BIG
    assert aim("scan", "restore", "--list").out == "The trash is empty.\n"
    assert [line.split(":")[0] for line in recorded()] == [
        "clean begins", "clean", "restore begins", "restore",
    ]  # fmt: skip


def test_cleaning_as_json(repo: Path, aim: Aim) -> None:
    """Items with their reasons, and what was done; without `--yes` nothing is."""
    tree(repo, {"__pycache__/a": "1"})
    found = aim("scan", "clean", "--dry-run", "-j").json
    assert [item["kind"] for item in found["items"]] == ["cache"]
    assert found["done"] is None
    done = aim("scan", "clean", "--yes", "-j").json["done"]
    assert done["moved"] == [str(repo / "__pycache__")]
    (info,) = aim("scan", "restore", "--list", "-j").json["trash"]
    assert info["trash_id"] == done["trash_id"]
    assert aim("scan", "restore", "-j").json["restored"] == [str(repo / "__pycache__")]
    assert aim("scan", "clean", "--empty-trash", "--yes", "-j").json == {
        "trash": [], "deleted": False, "stayed": {},
    }  # fmt: skip


def test_without_a_terminal_nobody_is_asked(repo: Path, aim: Aim) -> None:
    """Nothing is moved, exit 2, and the options that help are named."""
    tree(repo, {"__pycache__/a": "1"})
    said = aim("scan", "clean")
    assert said.code == 2
    assert "--yes" in said.err
    assert (repo / "__pycache__/a").exists()


def test_nothing_to_clean(repo: Path, aim: Aim) -> None:
    """Nobody is asked then, and an empty trash is none to restore from."""
    assert aim("scan", "clean").out == "Nothing to clean.\n"
    said = aim("scan", "restore")
    assert (said.code, "nothing is in the trash" in said.err) == (2, True)


def test_what_is_there_by_now_is_not_overwritten(repo: Path, aim: Aim) -> None:
    """It stays in the trash and is named; exit 1."""
    tree(repo, {"__pycache__/a": "1"})
    aim("scan", "clean", "--yes")
    tree(repo, {"__pycache__/a": "2"})
    said = aim("scan", "restore")
    assert said.code == 1
    assert said.out.startswith("Stays in the trash: ")
    assert (repo / "__pycache__/a").read_text() == "2"
    assert aim("scan", "restore", "--list").code == 0


def test_emptying_the_trash(repo: Path, aim: Aim) -> None:
    """Only what is old enough; then it is gone for good, and the trail says so."""
    tree(repo, {"__pycache__/a": "1"})
    aim("scan", "clean", "--yes")
    said = aim("scan", "clean", "--empty-trash", "--older-than", "1", "--yes")
    assert said.out == "Nothing to delete in the trash.\n"
    assert aim("scan", "clean", "--empty-trash", "--dry-run").out.endswith("1 set, 1 B.\n")
    assert aim("scan", "clean", "--empty-trash", "--yes").out.endswith("Deleted 1 set.\n")
    assert aim("scan", "restore").code == 2
    assert recorded()[-1].startswith("trash emptied: ")
    assert aim("scan", "clean", "--empty-trash", "-p", "x").code == 2


def test_a_damaged_trash_is_not_emptied(repo: Path, aim: Aim) -> None:
    """What lies in it, and since when, is not known any more; it is said, and listed."""
    tree(repo, {"__pycache__/a": "1"})
    trash_id = aim("scan", "clean", "--yes", "--json").json["done"]["trash_id"]
    folder = repo.parent / "aim" / "trash" / trash_id
    (folder / "manifest.jsonl").write_text("rubbish\n")
    said = aim("scan", "clean", "--empty-trash", "--yes")
    assert said.out == "Nothing to delete in the trash.\n"
    assert said.err.startswith(f"Left alone: {trash_id}: line 1 of manifest.jsonl cannot be read")
    assert (folder / "1" / "a").read_text() == "1"
    assert "cannot be read" in aim("scan", "restore", "--list").err


def test_a_trash_in_use_is_waited_for_in_vain(
    repo: Path, aim: Aim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, and nothing is restored twice."""
    from penstock.environment.scan import trash
    from penstock.folders import aim_home

    tree(repo, {"__pycache__/a": "1"})
    aim("scan", "clean", "--yes")
    monkeypatch.setattr(trash, "_PATIENCE_S", 0.0)
    with trash.Trash(aim_home() / "trash").locked():
        said = aim("scan", "restore")
    assert said.code == 2
    assert "another process" in said.err
    assert aim("scan", "restore").code == 0


# -- on a terminal -----------------------------------------------------------------------------
def test_asking_on_a_terminal(repo: Path) -> None:
    """Only a yes moves anything; 80 columns are enough."""
    tree(repo, {"__pycache__/a": "1"})
    code, text = on_terminal("scan", "clean", cwd=repo, keys="n\n", program=AIM)
    assert code == 0, text
    assert (repo / "__pycache__/a").exists()
    assert any("Move them to the trash?" in line for line in shown(text))
    assert max(map(len, shown(text))) <= 80
    code, text = on_terminal("scan", "clean", cwd=repo, keys="y\n", program=AIM)
    assert code == 0, text
    assert not (repo / "__pycache__").exists()


def test_names_that_would_rewrite_the_screen(repo: Path) -> None:
    """They are shown harmlessly."""
    tree(repo, {"\x1b[2J\n/__pycache__/a": "1", os.fsdecode(b"\xff") + "/__pycache__/b": "1"})
    code, text = on_terminal("scan", "caches", cwd=repo, program=AIM)
    assert code == 0, text
    assert "\x1b[2J" not in text


def test_json_of_names_that_are_no_text(repo: Path, aim: Aim) -> None:
    """It can be read, and names the very path."""
    name = os.fsdecode(b"\xff")
    tree(repo, {f"{name}/__pycache__/b": "1"})
    (found,) = aim("scan", "caches", "--json").json["misplaced_caches"]
    assert found["path"] == str(repo / name / "__pycache__")
    assert aim("scan", "clean", "--yes").code == 0
    assert aim("scan", "restore").code == 0
    assert (repo / name / "__pycache__/b").exists()

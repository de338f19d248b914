"""Archiving with a program that is missing, lies or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.syncing import archive as archiving
from penstock.syncing.archive import archive
from penstock.syncing.desk import PlanDesk
from tests.support.repos import make_repo, opened

CHANGE = "openspec/changes/add-x"
FILES: dict[str, str | bytes] = {
    f"{CHANGE}/tasks.md": "- [x] 1.1 Do\n",
    f"{CHANGE}/proposal.md": "why\n",
    "openspec/specs/x/spec.md": "old\n",
    "openspec/project.md": "p\n",
    "openspec/changes/other/tasks.md": "- [ ] 1.1 Not\n",
    "src/x.py": "",
}
MOVES = """\
mkdir -p openspec/changes/archive && mv openspec/changes/add-x openspec/changes/archive/2026-01-01-add-x
echo new > openspec/specs/x/spec.md
ln -s /etc/passwd openspec/link.md
find . -type f | sort > "$HOME/seen"
"""


@pytest.fixture
def desk(tmp_path: Path) -> PlanDesk:
    """A branch with a change that is wholly done."""
    repo = opened(make_repo(tmp_path / "repo", FILES))
    return PlanDesk(repo, repo.head())


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a program called openspec lies that does nothing yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = folder / "openspec"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_what_the_program_made_of_the_files(desk: PlanDesk, program: Path) -> None:
    """Moved and changed ones; links it leaves behind are not taken."""
    program.write_text(f"#!/bin/sh\n{MOVES}")
    assert archive(CHANGE, desk) is None
    there = "openspec/changes/archive/2026-01-01-add-x"
    assert desk.commits == {
        f"{CHANGE}/tasks.md": None, f"{CHANGE}/proposal.md": None,
        f"{there}/tasks.md": b"- [x] 1.1 Do\n", f"{there}/proposal.md": b"why\n",
        "openspec/specs/x/spec.md": b"new\n",
    }  # fmt: skip


def test_it_sees_no_more_than_it_needs(desk: PlanDesk, program: Path) -> None:
    """Neither the code nor other changes."""
    program.write_text(f"#!/bin/sh\n{MOVES}")
    archive(CHANGE, desk)
    seen = (program.parent.parent / "seen").read_text()
    assert ("openspec/project.md" in seen, "src" in seen, "other" in seen) == (True, False, False)


def test_ticks_of_this_sync_count(desk: PlanDesk, program: Path) -> None:
    """What is about to be committed is what is archived."""
    program.write_text(f"#!/bin/sh\n{MOVES}")
    desk.changed[f"{CHANGE}/tasks.md"] = b"- [ ] 1.1 Do\n"
    assert "has open boxes" in str(archive(CHANGE, desk))
    assert desk.changed == {f"{CHANGE}/tasks.md": b"- [ ] 1.1 Do\n"}


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("""echo '{"status": [{"message": "no"}, {"message": "never"}]}'; exit 1""", "no; never"),
        ("echo rubbish >&2; exit 3", "rubbish"),
        ("echo '[1]'; exit 1", "[1]"),
        ("exit 7", "exit 7"),
        ("kill -9 $$", "exit -9"),
    ],
)
def test_the_reason_of_a_refusal_is_told(
    desk: PlanDesk, program: Path, code: str, why: str
) -> None:
    """However the program puts it; nothing is changed."""
    program.write_text(f"#!/bin/sh\n{code}\n")
    assert archive(CHANGE, desk) == f"openspec does not archive add-x: {why}"
    assert desk.changed == {}


def test_a_program_that_hangs_is_ended(
    desk: PlanDesk, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, which is told."""
    monkeypatch.setattr(archiving, "TIMEOUT_S", 0.3)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    assert archive(CHANGE, desk) == "openspec does not archive add-x: it took longer than 0.3 s"


def test_without_the_program_nothing_is_archived(desk: PlanDesk, program: Path) -> None:
    """Missing, or not to be started."""
    program.write_text("#!/no/such/interpreter\n")
    assert str(archive(CHANGE, desk)).startswith("openspec cannot be started")
    program.unlink()
    assert archive(CHANGE, desk) == "openspec is not installed, so nothing is archived"


def test_what_is_in_the_archive_is_not_overwritten(tmp_path: Path, program: Path) -> None:
    """A change of that name was archived on that day already."""
    there = "openspec/changes/archive/2026-01-01-add-x/tasks.md"
    repo = opened(make_repo(tmp_path / "again", {**FILES, there: "older\n"}))
    program.write_text(f"#!/bin/sh\n{MOVES}")
    desk = PlanDesk(repo, repo.head())
    assert archive(CHANGE, desk) == f"add-x is not archived: {there} is there already"
    assert desk.changed == {}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("plan.md", "no current change"), ("openspec/changes/archive", "no current change"),
        ("openspec/changes/none", "not on the branch"),
    ],
)  # fmt: skip
def test_what_is_no_change_is_not_archived(desk: PlanDesk, path: str, why: str) -> None:
    """Nor one that git does not track."""
    assert why in str(archive(path, desk))

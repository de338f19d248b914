"""What init creates, hides and refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from penstock.environment.api import FoundCli, InitReport, Piece, State
from penstock.environment.scaffold import (
    OURS,
    Own,
    hide,
    missing_patterns,
    own,
    refuse_tracked,
    scaffold,
)
from penstock.environment.template import PIPELINE_YAML
from penstock.errors import EnvironmentProblem, UsageError
from penstock.model.settings import DayLimits, Limits, PipelineSettings, WorktreeSettings
from tests.support.cli import git, make_repository

EXAMPLE = ("ws-example.json", '{"id": "ws-example"}')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repository(tmp_path / "project")


def make(root: Path, *, check: bool = False) -> dict[str, State]:
    """Scaffold and return the state of each piece."""
    exclude = root / ".git" / "info" / "exclude"
    pieces = scaffold(root, root / "workstreams", exclude, example=EXAMPLE, check=check)
    return {piece.path: piece.state for piece in pieces}


def test_all_is_created_and_nothing_tracked_changes(root: Path) -> None:
    """A fresh repository gets its folders, and git shows only files that the user will add."""
    assert set(make(root).values()) == {State.CREATED}
    assert (root / "workstreams" / "ws-example.json").read_text() == EXAMPLE[1]
    for folder in OURS.folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "file").touch()
    assert git(root, "status", "--porcelain") == "?? config/\n?? workstreams/"


def test_a_second_time_changes_nothing(root: Path) -> None:
    """Init is safe to repeat: the user's own edits and bundles stay."""
    make(root)
    (root / "config" / "pipeline.yaml").write_text("scope_policy: revert\n")
    (root / "workstreams" / "ws-example.json").rename(root / "workstreams" / "ws-mine.json")
    exclude = (root / ".git" / "info" / "exclude").read_bytes()
    assert set(make(root).values()) == {State.PRESENT}
    assert (root / "config" / "pipeline.yaml").read_text() == "scope_policy: revert\n"
    assert (root / ".git" / "info" / "exclude").read_bytes() == exclude


def test_check_only_reports(root: Path) -> None:
    """--check says what is missing and creates nothing."""
    before = sorted(p.name for p in root.iterdir())
    assert set(make(root, check=True).values()) == {State.MISSING}
    assert sorted(p.name for p in root.iterdir()) == before


def test_the_users_exclude_lines_stay(root: Path) -> None:
    """Lines without a newline at the end, of any encoding, are kept as they are."""
    exclude = root / ".git" / "info" / "exclude"
    exclude.write_bytes(b"# mine\n*.k\xe4se")
    assert hide(exclude)
    assert not hide(exclude)
    lines = exclude.read_bytes().splitlines()
    assert lines[:2] == [b"# mine", b"*.k\xe4se"]
    assert lines[3:] == [p.encode() for p in (f"/{folder}/" for folder in OURS.folders)]


def test_a_removed_pattern_comes_back_under_the_same_heading(root: Path) -> None:
    """A pattern that got lost is added again without a second heading."""
    exclude = root / ".git" / "info" / "exclude"
    hide(exclude)
    exclude.write_bytes(exclude.read_bytes().replace(b"/logs/\n", b""))
    assert missing_patterns(exclude) == (b"/logs/",)
    hide(exclude)
    assert exclude.read_bytes().count(b"# folders of penstock") == 1


def test_a_missing_info_folder_is_made(root: Path) -> None:
    """A repository made without git's templates has no info folder yet."""
    exclude = root / ".git" / "info" / "exclude"
    exclude.unlink()
    exclude.parent.rmdir()
    assert hide(exclude)


def test_patterns_are_anchored(root: Path) -> None:
    """An agent's own `src/state/` stays visible to git."""
    make(root)
    (root / "src" / "state").mkdir(parents=True)
    (root / "src" / "state" / "x.py").touch()
    assert "src/" in git(root, "status", "--porcelain")


@pytest.mark.parametrize(
    ("database", "folders", "files"),
    [
        ("state/pipeline.db", "state", ()),
        (".penstock/a/p.db", ".penstock/a", ()),
        ("state/../my db/p.db", "my db", ()),
        ("p.db", "state", ("p.db", "p.db-wal", "p.db-shm", "p.db-journal")),
        ("../elsewhere/p.db", "state", ()),
    ],
)
def test_what_is_ours_follows_the_database(
    tmp_path: Path, database: str, folders: str, files: tuple[str, ...]
) -> None:
    """The evidence lies beside the journal, and a journal at the top is hidden by name."""
    ours = own(tmp_path / "r", tmp_path / "r" / database)
    assert (ours.folders[0], ours.files) == (folders, files)


def test_odd_names_are_hidden_as_they_are(root: Path) -> None:
    """A folder whose name holds pattern characters hides nothing else."""
    hide(root / ".git" / "info" / "exclude", Own(("my [db]*", "logs")))
    for name in ("my [db]*", "my dX"):
        (root / name).mkdir()
        (root / name / "f").touch()
    assert git(root, "status", "--porcelain") == '?? "my dX/"'


@pytest.mark.parametrize("path", ["state/keep.txt", "logs/a/b", ".state/x", "state"])
def test_a_tracked_folder_is_refused(path: str) -> None:
    """A repository that tracks such a path is told how to make room."""
    with pytest.raises(UsageError, match=path) as caught:
        refuse_tracked(["src/a.py", path])
    assert caught.value.hint


def test_the_setting_that_moves_ours_is_named() -> None:
    """The journal's folder can be moved by `db`, wherever it is; the audit's by its own setting."""
    with pytest.raises(UsageError) as caught:
        refuse_tracked(["state/x"])
    assert "`db`" in str(caught.value.hint)
    with pytest.raises(UsageError) as caught:
        refuse_tracked(["data/x"], Own(("data", "logs")))
    assert "`db`" in str(caught.value.hint)
    with pytest.raises(UsageError) as caught:
        refuse_tracked([".AIM_ai-tools-registry/AIM_audit/x"])
    assert "audit.logPath" in str(caught.value.hint)
    refuse_tracked(["statement/x", "src/state/x"])


def test_a_link_out_of_the_repository_is_not_followed(root: Path, tmp_path: Path) -> None:
    """A repository from elsewhere cannot make init write outside of it."""
    (tmp_path / "outside").mkdir()
    (root / "config").symlink_to(tmp_path / "outside")
    with pytest.raises(EnvironmentProblem, match="leads out"):
        make(root)
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_in_the_way_is_an_error(root: Path) -> None:
    """Where a folder cannot be made the path is named."""
    (root / "config").write_text("a file")
    with pytest.raises(EnvironmentProblem, match=r"pipeline\.yaml"):
        make(root)


def test_an_exclude_that_is_a_folder_is_an_error(root: Path) -> None:
    """Something else in the place of git's file is told."""
    (root / ".git" / "info" / "exclude").unlink()
    (root / ".git" / "info" / "exclude").mkdir()
    with pytest.raises(EnvironmentProblem, match="exclude"):
        make(root)


def test_a_full_disk_leaves_the_old_file(root: Path) -> None:
    """When the disk takes no more the exclude file is as it was, without a scratch file."""
    exclude = root / ".git" / "info" / "exclude"
    exclude.write_bytes(b"#" * 4000 + b"\n")
    code = (
        "import resource, signal, pathlib; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from penstock.environment.scaffold import hide;"
        f"hide(pathlib.Path({str(exclude)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "EnvironmentProblem" in done.stderr
    assert exclude.read_bytes() == b"#" * 4000 + b"\n"
    assert [p.name for p in exclude.parent.iterdir()] == ["exclude"]


def uncommented() -> dict[str, object]:
    """Return the template with every example switched on."""
    lines = []
    for line in PIPELINE_YAML.splitlines():
        body = line.removeprefix("# ")
        key = body.strip().partition(":")[0]
        if (
            line.startswith("# ")
            and ":" in body
            and key.replace("_", "").replace("-", "").isalpha()
        ):
            lines.append(body)
    loaded: dict[str, object] = yaml.safe_load("\n".join(lines))
    return loaded


def test_the_template_names_every_key() -> None:
    """The commented file explains all settings and no others."""
    keys = uncommented()
    assert set(PipelineSettings.__struct_fields__) <= set(keys)
    for name, kind in (("worktree", WorktreeSettings), ("limits", Limits)):
        inner = keys[name]
        assert isinstance(inner, dict)
        assert set(inner) == set(kind.__struct_fields__)
    limits = keys["limits"]
    assert isinstance(limits, dict)
    assert set(limits["per_day"]) == set(DayLimits.__struct_fields__)
    assert yaml.safe_load(PIPELINE_YAML) is None


def test_a_report_is_ok_when_nothing_is_missing() -> None:
    """All pieces, at least one CLI and no problem make a repository ready."""
    cli = FoundCli(tool_id="a", executable="a", install="i", path="/bin/a")
    piece = Piece(path="p", what="w", state=State.CREATED)
    assert InitReport(root="/", pieces=(piece,), clis=(cli,)).ok
    assert not InitReport(root="/", pieces=(piece,), clis=()).ok
    assert not InitReport(root="/", pieces=(piece,), clis=(cli,), problems=("p",)).ok
    gone = Piece(path="p", what="w", state=State.MISSING)
    assert not InitReport(root="/", pieces=(gone,), clis=(cli,)).ok

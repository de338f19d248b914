"""Large trees are looked through by several processes, which tell the same and nothing more."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from penstock.environment.scan import crew
from penstock.environment.scan.crew import Share, Yield, in_child, parts_of
from tests.support.planting import line_with, scanned, token
from tests.support.repos import make_repo, write

KEY = b"k" * 32


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with secrets in files of odd names."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.delenv("AIM_FINGERPRINT_KEY", raising=False)
    folder = make_repo(tmp_path / "repo")
    names = [f"f{number}.py" for number in range(6)] + ["a\nb.py", os.fsdecode(b"\xff.py")]
    for number, name in enumerate(names):
        (folder / name).write_text("A = 1\n" * number + line_with(token(number)))
    write(folder, {"ok.py": line_with(token(9)).replace("\n", "  # penstock: allow-secret\n")})
    return folder


def share(repo: Path, *names: str) -> Share:
    """Return files to be looked through."""
    return Share(top=str(repo), names=names, level="default", key=KEY)


def never(_share: Share) -> Yield:
    """Stand where this process must not do the work itself."""
    raise AssertionError("not looked through by a process of its own")


def test_several_processes_find_the_same(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings, counts and order are those of one process."""
    alone = scanned(repo)
    monkeypatch.setattr(crew, "SHARE_BYTES", 50)
    monkeypatch.setattr(crew, "look_through", never)
    together = scanned(repo)
    assert len(together.findings) == 8
    assert together.findings == alone.findings
    assert (together.files, together.size_bytes, together.allowed) == (
        alone.files, alone.size_bytes, alone.allowed,
    )  # fmt: skip


def test_files_are_cut_into_parts_in_order(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is in one part, also one that is not there; no file is one part."""
    names = [*sorted(path.name for path in repo.iterdir() if path.is_file()), "gone.py"]
    monkeypatch.setattr(crew, "SHARE_BYTES", 100)
    parts = parts_of(repo, names)
    assert len(parts) > 2
    assert [name for part in parts for name in part] == names
    assert parts_of(repo, []) == [()]


@pytest.mark.parametrize(
    "argv", [("false",), ("echo", "no json"), ("echo", "{}"), ("no-such-program",)]
)
def test_without_a_process_it_is_done_here(
    repo: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """A process that cannot be started, fails or tells rubbish costs nothing but time."""
    monkeypatch.setattr(crew, "_ARGV", argv)
    assert [one.path for one in in_child(share(repo, "f1.py")).found] == ["f1.py"]


def test_what_a_process_tells_holds_no_value(repo: Path) -> None:
    """What goes through the pipe has neither the secret nor the key."""
    told = crew._packed(crew.look_through(share(repo, "f1.py")))
    assert json.loads(told)["found"][0]["path"] == "f1.py"
    assert token(1).encode() not in told
    assert KEY not in told
    assert share(repo).key == KEY


def test_a_folder_of_the_tree_is_never_imported(repo: Path) -> None:
    """Modules that lie in the tree are not run by the processes that look through it."""
    mark = repo.parent / "imported"
    code = f"open({str(mark)!r}, 'w')\n"
    write(repo, {"msgspec.py": code, "penstock/__init__.py": code, "json.py": code})
    assert len(in_child(share(repo, "f1.py")).found) == 1
    assert not mark.exists()

"""What a user sees on a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import bundle, child, make_repository, write_bundles
from tests.support.terminal import on_terminal, shown


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after a run with long names and reasons, whose screen is in `screen.txt`."""
    folder = make_repository(tmp_path_factory.mktemp("terminal") / "project")
    outside = [{"edits": {f"elsewhere-{n}.txt": "x\n" for n in range(4)}, "delay_s": 1}]
    write_bundles(
        folder,
        bundle("ws-good-with-a-rather-long-name"),
        bundle("ws-bad", metadata={"scripted": outside}),
    )
    code, text = on_terminal("run", "--all", "--run-id", "run-live", cwd=folder)
    assert code == 1, text
    (folder.parent / "screen.txt").write_text(text, encoding="utf-8")
    return folder


def seen(repo: Path, *args: str, keys: str = "", code: int = 0) -> list[str]:
    """Return the lines on the screen, after checking the exit code and that none is too wide."""
    ended, text = on_terminal(*args, cwd=repo, keys=keys)
    lines = shown(text)
    assert ended == code, lines
    assert max(len(line) for line in lines) <= 80
    return lines


def test_a_run_is_shown_live_and_summed_up(repo: Path) -> None:
    """A table is drawn while it runs; in the end stand the summary and the next commands."""
    lines = shown((repo.parent / "screen.txt").read_text(encoding="utf-8"))
    assert max(len(line) for line in lines) <= 80
    assert any(line.split()[:4] == ["ws-bad", "editing", "edit", "1"] for line in lines)
    assert "Run run-live: failed. 1 of 2 done." in lines
    assert any(line.startswith("ws-good-with-a-rather-long-name  done") for line in lines)
    assert "Why:    penstock show run-live ws-bad" in lines


@pytest.mark.parametrize(
    "args",
    [
        ("status",),
        ("status", "latest"),
        ("init", "--check"),
        ("clean", "--older-than", "0s", "--dry-run"),
    ],
    ids=" ".join,
)
def test_tables_fit(repo: Path, args: tuple[str, ...]) -> None:
    """No table is wider than the screen, and no id is cut."""
    seen(repo, *args, code=1 if args[0] == "init" else 0)


def test_colours_are_for_terminals_only(repo: Path) -> None:
    """States are coloured on a terminal; elsewhere there is not one escape sequence."""
    _, text = on_terminal("status", "latest", cwd=repo)
    assert "\x1b[32mdone" in text
    assert "\x1b" not in child("status", "latest", cwd=repo).out


def test_a_diff_is_coloured(repo: Path) -> None:
    """Added lines are green."""
    _, text = on_terminal("diff", "latest", "good", cwd=repo)
    assert "\x1b[32m+text" in text


def test_clean_asks_on_a_terminal(repo: Path) -> None:
    """Without --yes it asks, and `n` removes nothing; Ctrl-D is no yes."""
    lines = seen(repo, "clean", "--older-than", "0s", keys="n\n")
    assert any("Remove all of this?" in line for line in lines)
    assert (repo / "logs" / "run-live").is_dir()
    seen(repo, "clean", "--older-than", "0s", keys="\x04", code=2)
    assert (repo / "logs" / "run-live").is_dir()
    assert "Removed" in " ".join(seen(repo, "clean", "--older-than", "0s", keys="y\n"))
    assert not (repo / "logs" / "run-live").exists()


def test_a_narrow_terminal_is_survived(repo: Path) -> None:
    """At 30 columns nothing fails."""
    code, text = on_terminal("status", cwd=repo, columns=30)
    assert code == 0
    assert "run-live" in text

"""The pre-commit hook: where git looks for it, whose it is, and what is kept of another one."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from penstock.environment.api import HookState
from penstock.environment.hooks import (
    KEPT,
    NAME,
    hook_state,
    hooks_folder,
    install_hook,
    own_command,
    script,
    uninstall_hook,
)
from penstock.environment.repository import Place, find_place
from penstock.errors import EnvironmentProblem, RepositoryError, UsageError
from tests.support.cli import git, make_repository

FOREIGN = "#!/bin/sh\necho theirs\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repository(tmp_path / "project")


def place_of(folder: Path) -> Place:
    """Return the checkout at a folder."""
    place = find_place(folder)
    assert place is not None
    return place


def foreign(folder: Path) -> Path:
    """Put a hook of another tool into a folder of hooks."""
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / NAME
    hook.write_text(FOREIGN)
    hook.chmod(0o755)
    return hook


# -- where ---------------------------------------------------------------------------------
def test_hooks_lie_in_the_git_folder(repo: Path) -> None:
    """Where nothing is configured it is the repository's own folder of hooks."""
    assert hooks_folder(place_of(repo)) == repo / ".git" / "hooks"


def test_a_worktree_shares_the_hooks_of_its_repository(repo: Path, tmp_path: Path) -> None:
    """Git runs the same hooks in every worktree."""
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert hooks_folder(place_of(tmp_path / "tree")) == repo / ".git" / "hooks"


def test_the_configured_folder_counts(repo: Path) -> None:
    """core.hooksPath counts from the top of the checkout, wherever one stands in it."""
    git(repo, "config", "core.hooksPath", ".githooks")
    (repo / "deep").mkdir()
    assert hooks_folder(place_of(repo / "deep")) == repo / ".githooks"


def test_a_folder_shared_with_other_repositories_is_refused(repo: Path, tmp_path: Path) -> None:
    """A hook there would run in repositories that nobody has asked about."""
    git(repo, "config", "core.hooksPath", str(tmp_path / "everywhere"))
    with pytest.raises(RepositoryError, match="other repositories") as caught:
        hooks_folder(place_of(repo))
    assert "penstock hooks run" in (caught.value.hint or "")


def test_hooks_that_are_switched_off_are_said_to_be(repo: Path) -> None:
    """With core.hooksPath at /dev/null no hook could ever run."""
    git(repo, "config", "core.hooksPath", os.devnull)
    with pytest.raises(RepositoryError, match="switched off"):
        hooks_folder(place_of(repo))


def test_a_repository_that_git_refuses_says_why(repo: Path) -> None:
    """What git says about a broken configuration is passed on."""
    (repo / ".git" / "config").write_text("[core\n")
    with pytest.raises(RepositoryError, match="bad config"):
        hooks_folder(place_of(repo))


# -- whose ---------------------------------------------------------------------------------
def test_a_hook_is_told_by_its_mark(tmp_path: Path) -> None:
    """Ours, another tool's, none; what cannot be read is nobody's to overwrite."""
    assert hook_state(tmp_path) is HookState.ABSENT
    foreign(tmp_path)
    assert hook_state(tmp_path) is HookState.FOREIGN
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).symlink_to("nowhere")
    assert hook_state(tmp_path) is HookState.FOREIGN
    (tmp_path / NAME).unlink()
    install_hook(tmp_path, shared=False, force=False)
    assert hook_state(tmp_path) is HookState.OURS


# -- in and out ----------------------------------------------------------------------------
def test_installing_makes_an_executable_hook(tmp_path: Path) -> None:
    """The folder is made, the hook can be executed, nothing else is left, and twice is once."""
    folder = tmp_path / "hooks"
    change = install_hook(folder, shared=False, force=False)
    assert (change.before, change.kept) == (HookState.ABSENT, None)
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o755
    again = install_hook(folder, shared=False, force=False)
    assert again.before is HookState.OURS
    assert [entry.name for entry in folder.iterdir()] == [NAME]


def test_a_foreign_hook_is_left_alone(tmp_path: Path) -> None:
    """Without force nothing is changed, and it is said what can be done."""
    hook = foreign(tmp_path)
    with pytest.raises(UsageError, match="not penstock's") as caught:
        install_hook(tmp_path, shared=False, force=False)
    assert "--force" in (caught.value.hint or "")
    assert hook.read_text() == FOREIGN


def test_force_keeps_the_foreign_hook_and_uninstalling_restores_it(tmp_path: Path) -> None:
    """Nothing of the other tool's hook is lost, its mode included."""
    foreign(tmp_path)
    change = install_hook(tmp_path, shared=False, force=True)
    assert change.kept == str(tmp_path / KEPT)
    assert (tmp_path / KEPT).read_text() == FOREIGN
    out = uninstall_hook(tmp_path)
    assert (out.before, out.restored) == (HookState.OURS, True)
    assert (tmp_path / NAME).read_text() == FOREIGN
    assert os.access(tmp_path / NAME, os.X_OK)


def test_a_second_foreign_hook_does_not_overwrite_the_kept_one(tmp_path: Path) -> None:
    """With one hook kept already, another one is not set aside onto it."""
    foreign(tmp_path)
    install_hook(tmp_path, shared=False, force=True)
    foreign(tmp_path).write_text("#!/bin/sh\necho second\n")
    with pytest.raises(UsageError, match="already"):
        install_hook(tmp_path, shared=False, force=True)
    assert (tmp_path / KEPT).read_text() == FOREIGN


def test_uninstalling_leaves_other_hooks_alone(tmp_path: Path) -> None:
    """Another tool's hook stays, an absent one is no error, ours goes."""
    assert uninstall_hook(tmp_path).before is HookState.ABSENT
    hook = foreign(tmp_path)
    assert uninstall_hook(tmp_path).before is HookState.FOREIGN
    assert hook.read_text() == FOREIGN
    hook.unlink()
    install_hook(tmp_path, shared=False, force=False)
    assert uninstall_hook(tmp_path).restored is False
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """An installation or removal that fails is an error of the machine, with its reason."""
    (tmp_path / "hooks").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentProblem, match="cannot write"):
        install_hook(tmp_path / "hooks", shared=False, force=False)


# -- what the hook does --------------------------------------------------------------------
def run_hook(text: str, folder: Path, path: str = "/usr/bin:/bin") -> tuple[int, str]:
    """Run a hook's text and return its exit code and what it said."""
    hook = folder / NAME
    hook.write_text(text)
    hook.chmod(0o755)
    done = subprocess.run(
        [str(hook)], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def fake_penstock(path: Path, code: int = 0) -> Path:
    """Put a program into place that tells how it was called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{path.parent.name}: $*"\nexit {code}\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_the_exit_code_is_that_of_penstock(tmp_path: Path, code: int) -> None:
    """The hook starts `penstock hooks run` and ends as it does."""
    program = fake_penstock(tmp_path / "it's here" / "penstock", code)
    assert run_hook(script((str(program),)), tmp_path) == (code, "it's here: hooks run\n")


def test_the_one_on_path_is_taken_when_the_first_is_gone(tmp_path: Path) -> None:
    """A penstock that was moved is found on PATH, also when its interpreter has vanished."""
    fake_penstock(tmp_path / "bin" / "penstock")
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    gone = script((str(tmp_path / "gone" / "penstock"),))
    assert run_hook(gone, tmp_path, path) == (0, "bin: hooks run\n")
    broken = fake_penstock(tmp_path / "old" / "penstock")
    broken.write_text("#!/no/such/interpreter\n")
    code, said = run_hook(script((str(broken),)), tmp_path, path)
    assert code == 0
    assert "bin: hooks run\n" in said


def test_without_any_penstock_nothing_is_committed(tmp_path: Path) -> None:
    """The commit is refused, and it is said how to go on."""
    code, said = run_hook(script(None), tmp_path)
    assert code == 1
    assert "penstock cannot be started" in said
    assert "git commit --no-verify" in said


def test_a_hook_in_the_tree_names_no_path_of_this_machine() -> None:
    """What is among the tracked files is for everybody's machine."""
    assert own_command()[0] in script(own_command())
    assert str(Path(own_command()[0]).parent) not in script(None)
    assert "@" not in script(None).replace('"$@"', "")

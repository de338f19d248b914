"""The pre-commit hook with real commits: what is staged is judged, and not what lies on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.cli import Said, bundle, write_bundles
from tests.support.finder import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a checker and our hook."""
    made = Project(tmp_path)
    said = made.penstock("hooks", "install")
    assert (said.code, said.err) == (0, "")
    return made


def commit(project: Project, *args: str, cwd: Path | None = None) -> Said:
    """Commit as a user does."""
    return project.git("commit", "-m", "A change", *args, cwd=cwd)


def commits(project: Project) -> int:
    """Return how many commits there are."""
    return int(project.git("rev-list", "--count", "HEAD").out)


# -- files ---------------------------------------------------------------------------------
def test_a_clean_commit_passes(project: Project) -> None:
    """A commit of good files is made, and the checker has seen these files."""
    project.stage(a="good\n", b="good\n")
    said = commit(project)
    assert said.code == 0, said.err
    assert project.checked() == ["a.txt", "b.txt"]
    assert commits(project) == 2


def test_a_bad_commit_is_refused(project: Project) -> None:
    """A finding keeps the commit from being made, and is shown with its place."""
    project.stage(a="good\nBAD\n")
    said = commit(project)
    assert said.code == 1
    assert "a.txt:2" in said.out + said.err
    assert "a bad word" in said.out + said.err
    assert commits(project) == 1


def test_the_staged_content_counts_and_not_the_file(project: Project) -> None:
    """A file that was made bad after staging passes; one mended after staging does not."""
    project.stage(a="good\n")
    project.write(a="BAD\n")
    assert commit(project).code == 0
    project.stage(a="BAD\n")
    project.write(a="good\n")
    said = commit(project)
    assert said.code == 1
    assert (project.root / "a.txt").read_text() == "good\n"


def test_partly_staged_changes_are_told_apart(project: Project) -> None:
    """Of two changes in one file only the staged one is judged."""
    project.stage(a="one\n" * 20)
    commit(project)
    project.stage(a="first\n" + "one\n" * 20)
    project.write(a="first\n" + "one\n" * 20 + "BAD\n")
    assert commit(project).code == 0
    assert project.git("status", "--porcelain").out == " M a.txt\n"


def test_only_what_changes_is_checked(project: Project) -> None:
    """Files that the commit does not touch are not judged by it, bad ones neither."""
    project.stage(old="BAD\n")
    assert commit(project, "--no-verify").code == 0
    project.stage(new="good\n")
    assert commit(project).code == 0
    assert project.checked() == ["new.txt"]


def test_commit_a_and_commit_of_paths(project: Project) -> None:
    """The index that git makes for `-a`, or for named paths, is the one that is judged."""
    project.stage(a="good\n", b="good\n")
    commit(project)
    project.write(a="BAD\n", b="better\n")
    assert commit(project, "-a").code == 1
    assert commit(project, "b.txt").code == 0
    assert commit(project, "a.txt").code == 1


def test_an_amended_commit_and_an_empty_one(project: Project) -> None:
    """Amending checks what is staged since; with nothing staged there is nothing to check."""
    project.stage(a="good\n")
    commit(project)
    project.stage(b="BAD\n")
    assert commit(project, "--amend").code == 1
    project.git("reset", "-q")
    assert commit(project, "--allow-empty").code == 0


def test_a_staged_baseline_counts(project: Project) -> None:
    """What a baseline in the index knows refuses no commit; one that is only on disk does not count."""
    project.write(a="BAD\n")
    assert project.check("--update-baseline").code == 0
    project.git("add", "a.txt")
    assert commit(project).code == 1
    project.git("add", ".penstock-baseline.json")
    assert commit(project).code == 0
    project.stage(a="BAD\nBAD too\n")
    said = commit(project)
    assert said.code == 1
    assert "a.txt:1:1" not in said.out + said.err


def test_deleted_and_renamed_files(project: Project) -> None:
    """A file that goes is not looked for, one with another name is checked under that."""
    project.stage(a="good\n", b="good\n")
    commit(project)
    project.checked()
    project.git("rm", "-q", "a.txt")
    project.git("mv", "b.txt", "c.txt")
    assert commit(project).code == 0
    assert project.checked() in ([], ["c.txt"])


def test_from_a_subfolder_and_a_worktree(project: Project, tmp_path: Path) -> None:
    """It does not matter where the commit is made."""
    project.stage(deep__a="BAD\n")
    said = commit(project, cwd=project.root / "deep")
    assert said.code == 1
    assert "deep/a.txt" in said.out + said.err
    tree = tmp_path / "tree"
    project.git("worktree", "add", "-q", str(tree))
    (tree / "b.txt").write_text("BAD\n")
    project.git("add", "b.txt", cwd=tree)
    assert commit(project, cwd=tree).code == 1


def test_in_a_worktree_of_ours(project: Project) -> None:
    """In `.worktrees/` the worktree is meant, not the checkout that it belongs to, and results are
    kept there."""
    tree = project.root / ".worktrees" / "ws-a"
    project.git("worktree", "add", "-q", str(tree))
    (tree / "a.txt").write_text("BAD\n")
    project.git("add", "a.txt", cwd=tree)
    said = commit(project, cwd=tree)
    assert said.code == 1
    assert "a.txt:1:1" in said.out + said.err
    assert "a.txt: FAILED" in project.check("a.txt", cwd=tree).out
    assert project.check(cwd=tree).code == 1
    assert not (tree / ".state").exists()


def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    """With no commit yet, everything that is staged is new."""
    project = Project(tmp_path, in_git=False)
    project.git("init", "-q")
    project.git("config", "user.name", "A")
    project.git("config", "user.email", "a@example.invalid")
    project.penstock("hooks", "install")
    project.write(a="BAD\n")
    project.git("add", "a.txt")
    assert commit(project).code == 1
    project.write(a="good\n")
    project.git("add", "a.txt")
    assert commit(project).code == 0


def test_nothing_is_left_behind(project: Project, tmp_path: Path) -> None:
    """The export of the index is gone afterwards, and git shows nothing of ours."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    project.stage(a="good\n")
    said = project.penstock("hooks", "run", env={"TMPDIR": str(scratch)})
    assert said.code == 0, said.err
    assert list(scratch.iterdir()) == []
    assert commit(project).code == 0
    assert project.git("status", "--porcelain").out == ""


# -- bundles -------------------------------------------------------------------------------
def test_staged_bundles_are_validated(project: Project) -> None:
    """A bundle that is wrong in the index refuses the commit, whatever the file is by now."""
    place = write_bundles(project.root, bundle("ws-a") | {"gate": "none"})
    project.git("add", "-A")
    write_bundles(project.root, bundle("ws-a"))
    said = commit(project)
    assert said.code == 1
    assert "workstreams/ws-a.json" in said.out + said.err
    assert "gate" in said.out + said.err
    assert str(project.root) not in said.out.replace(str(place), "")


def test_bundles_that_are_only_on_disk_do_not_count(project: Project) -> None:
    """Neither a wrong bundle that is not staged, nor one that is ignored, refuses a commit."""
    write_bundles(project.root, bundle("ws-a"))
    (project.root / ".gitignore").write_text("workstreams/ws-ignored.json\n")
    project.git("add", "-A")
    (project.root / "workstreams" / "ws-b.json").write_text("{")
    (project.root / "workstreams" / "ws-ignored.json").write_text("{")
    (project.root / "workstreams" / "ws-a.json").write_text("{")
    said = commit(project)
    assert said.code == 0, said.err


@pytest.mark.parametrize("form", ["relative", "absolute"])
def test_bundles_in_another_folder(project: Project, form: str) -> None:
    """PIPELINE_WORKSTREAM_DIR counts, and means that folder in the index."""
    write_bundles(project.root, bundle("ws-a") | {"gate": "none"})
    (project.root / "workstreams").rename(project.root / "plans")
    project.git("add", "-A")
    (project.root / "plans" / "ws-a.json").unlink()
    folder = "plans" if form == "relative" else str(project.root / "plans")
    said = project.penstock("hooks", "run", env={"PIPELINE_WORKSTREAM_DIR": folder})
    assert said.code == 1
    assert "plans/ws-a.json:\n" in said.out


def test_a_folder_of_bundles_that_git_ignores(project: Project) -> None:
    """Bundles that no commit can hold are none of the hook's."""
    write_bundles(project.root, bundle("ws-a") | {"gate": "none"})
    (project.root / ".gitignore").write_text("/workstreams/\n")
    project.stage(a="good\n")
    assert commit(project).code == 0


def test_bundles_are_judged_together(project: Project) -> None:
    """A dependency whose bundle is deleted by the commit is missed."""
    write_bundles(project.root, bundle("ws-a"), bundle("ws-b", depends_on=["ws-a"]))
    project.git("add", "-A")
    assert commit(project).code == 0
    project.git("rm", "-q", "workstreams/ws-a.json")
    said = commit(project)
    assert said.code == 1
    assert "ws-a" in said.out + said.err


def test_the_staged_settings_count(project: Project) -> None:
    """Whether overlaps are refused is read from the index, and a wrong file there is named."""
    same = [bundle("ws-a", files_scope=["a.txt"]), bundle("ws-b", files_scope=["a.txt"])]
    write_bundles(project.root, *same)
    (project.root / "config").mkdir()
    config = project.root / "config" / "pipeline.yaml"
    config.write_text("overlap_policy: serialise\n")
    project.git("add", "-A")
    config.write_text("overlap_policy: refuse\n")
    assert commit(project).code == 0
    config.write_text("overlap_policy: nonsense\n")
    (project.root / "b.txt").write_text("good\n")
    project.git("add", "-A")
    said = commit(project)
    assert said.code == 1
    assert "config/pipeline.yaml" in said.err


# -- the hook itself -----------------------------------------------------------------------
def test_no_verify_goes_past_it(project: Project) -> None:
    """Git's own way past a hook works."""
    project.stage(a="BAD\n")
    assert commit(project, "--no-verify").code == 0


def test_uninstalled_it_is_gone(project: Project) -> None:
    """After uninstalling a bad file can be committed."""
    assert project.penstock("hooks", "uninstall").code == 0
    project.stage(a="BAD\n")
    assert commit(project).code == 0


def test_another_tools_hook_runs_first(tmp_path: Path) -> None:
    """With --force the hook that was there runs before ours, and can refuse the commit itself."""
    project = Project(tmp_path)
    hook = project.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho theirs\ntest ! -e refuse\n")
    hook.chmod(0o755)
    assert project.penstock("hooks", "install").code == 2
    forced = project.penstock("hooks", "install", "--force", "--json")
    assert forced.json["kept"].endswith("pre-commit.before-penstock")
    project.stage(a="good\n")
    said = commit(project)
    assert said.code == 0
    assert "theirs" in said.out + said.err
    project.stage(refuse="", b="good\n")
    (project.root / "refuse").touch()
    assert commit(project).code == 1
    assert "again" in project.penstock("hooks", "uninstall").out
    assert "theirs" in hook.read_text()


def test_hooks_in_the_tree(tmp_path: Path) -> None:
    """core.hooksPath is honoured; in the tree, the hook takes the penstock of whoever commits."""
    project = Project(tmp_path)
    project.git("config", "core.hooksPath", ".githooks")
    assert project.penstock("hooks", "install").code == 0
    text = (project.root / ".githooks" / "pre-commit").read_text()
    assert str(Path(shutil.which("git") or "").parent.parent) not in text.splitlines()[-8]
    assert str(tmp_path) not in text
    project.stage(a="BAD\n")
    assert commit(project).code == 1


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """There is nowhere to put a hook, and nothing staged."""
    project = Project(tmp_path, in_git=False)
    for line in (("install",), ("uninstall",), ("run",)):
        said = project.penstock("hooks", *line)
        assert said.code == 2
        assert "git" in said.err


def test_what_was_done_is_said(project: Project) -> None:
    """In words and as JSON; twice is no error."""
    again = project.penstock("hooks", "install")
    assert again.out == f"{project.root}/.git/hooks/pre-commit renewed\n"
    out = project.penstock("hooks", "uninstall", "--json")
    assert json.loads(out.out)["before"] == "ours"
    assert "there is no hook" in project.penstock("hooks", "uninstall").out
    hook = project.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\n")
    assert "stays" in project.penstock("hooks", "uninstall").out
    assert hook.exists()

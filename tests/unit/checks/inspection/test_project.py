"""The files of a project: all, changed, staged; in every state that git can be in."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.inspection import project
from penstock.checks.inspection.project import (
    changed_files,
    export_index,
    list_project,
    staged_files,
)
from penstock.errors import GitError, ToolMissingError, UsageError
from tests.support.repos import git, make_repo, write

FILES = {"a.py": "a\n", "src/b.py": "b\n", ".gitignore": "*.log\nbuild/\n"}
ALL = (".gitignore", "a.py", "src/b.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with three files."""
    return make_repo(tmp_path / "repo", FILES)


def place(tree: Path) -> Place:
    """A tree that is its own root."""
    return Place(tree=tree, root=tree)


def test_tracked_and_new_files_are_the_project(tree: Path) -> None:
    """What git tracks and what it would add is listed; what it ignores is not."""
    write(tree, {"new.py": "n\n", "x.log": "l\n", "build/y.py": "y\n"})
    assert list_project(place(tree)) == (".gitignore", "a.py", "new.py", "src/b.py")


def test_deleted_and_renamed_files_are_listed_as_they_are(tree: Path) -> None:
    """A file that is gone from the tree is not listed, its new name is."""
    (tree / "a.py").unlink()
    (tree / "src/b.py").rename(tree / "src/c.py")
    assert list_project(place(tree)) == (".gitignore", "src/c.py")


def test_a_repository_without_commits_has_files(tmp_path: Path) -> None:
    """Before the first commit everything is listed, changed, and staged as far as it was added."""
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"a.py": "a\n", "b.py": "b\n"})
    git(tmp_path, "add", "a.py")
    assert list_project(place(tmp_path)) == ("a.py", "b.py")
    assert changed_files(place(tmp_path)) == ("a.py", "b.py")
    assert staged_files(place(tmp_path)) == ("a.py",)


def test_submodules_and_nested_repositories_are_left_out(tree: Path) -> None:
    """Other repositories inside are not ours to check."""
    inner = make_repo(tree.parent / "inner", {"i.py": "i\n"})
    add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
    git(tree, *add, str(inner), "sub")
    make_repo(tree / "nested", {"n.py": "n\n"})
    assert list_project(place(tree)) == (".gitignore", ".gitmodules", "a.py", "src/b.py")


def test_our_own_folders_are_left_out(tree: Path) -> None:
    """Journal, logs, worktrees and caches are no files of the project, wherever git stands on it."""
    ours = (".worktrees/w/x.py", ".state/x.py", "state/x.py", "logs/x.py")
    write(tree, {**dict.fromkeys(ours, "x\n"), "src/state/y.py": "y\n", "state.py": "s\n"})
    assert list_project(place(tree)) == (*ALL, "src/state/y.py", "state.py")
    assert changed_files(place(tree)) == ("src/state/y.py", "state.py")


def test_a_tracked_folder_of_our_name_is_theirs(tree: Path) -> None:
    """A repository that tracks `state/` gets it checked."""
    write(tree, {"state/x.py": "x\n"})
    git(tree, "add", "state/x.py")
    assert "state/x.py" in list_project(place(tree))


def test_what_a_fix_left_behind_is_no_file(tree: Path) -> None:
    """The temporary file of a fix that was killed is not checked."""
    write(tree, {f"src/{project.TEMPORARY_PREFIX}1": "x\n"})
    assert list_project(place(tree)) == ALL


def test_a_sparse_checkout_lists_what_is_there(tree: Path) -> None:
    """Files that a sparse checkout leaves out are not listed."""
    git(tree, "sparse-checkout", "set", "--no-cone", "/*", "!/src/")
    assert list_project(place(tree)) == (".gitignore", "a.py")


def test_a_linked_worktree_is_listed_on_its_own(tree: Path) -> None:
    """A worktree of git has its own files."""
    git(tree, "worktree", "add", "--quiet", "../other")
    other = tree.parent / "other"
    write(other, {"only.py": "o\n"})
    assert list_project(place(other)) == (".gitignore", "a.py", "only.py", "src/b.py")
    assert changed_files(place(other)) == ("only.py",)


def test_a_conflict_lists_each_file_once(tree: Path) -> None:
    """A file in conflict stands in the index three times and in the list once."""
    git(tree, "checkout", "--quiet", "-b", "side")
    write(tree, {"a.py": "side\n"})
    git(tree, "commit", "--quiet", "-am", "side")
    git(tree, "checkout", "--quiet", "main")
    write(tree, {"a.py": "main\n"})
    git(tree, "commit", "--quiet", "-am", "main")
    git(tree, "merge", "side", ok=False)
    assert list_project(place(tree)) == ALL
    assert changed_files(place(tree)) == ("a.py",)


def test_links_to_files_are_listed(tree: Path) -> None:
    """A link to a file is part of the project, a link to a folder or to nothing is not."""
    (tree / "link.py").symlink_to("a.py")
    (tree / "folder").symlink_to("src")
    (tree / "lost.py").symlink_to("nowhere")
    assert list_project(place(tree)) == (".gitignore", "a.py", "link.py", "src/b.py")


def test_outside_of_git_the_folder_is_walked(tmp_path: Path) -> None:
    """Hidden folders, installed packages, environments and bytecode are left out."""
    left_out = (".hidden/x.py", "node_modules/x.js", "__pycache__/x.py", "env/pyvenv.cfg")
    write(tmp_path, dict.fromkeys((*left_out, "a.py", "src/b.py", ".rc"), "x\n"))
    assert list_project(place(tmp_path)) == (".rc", "a.py", "src/b.py")


def test_a_plain_folder_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts it in a home folder is asked to name files, instead of waiting for ever."""
    monkeypatch.setattr(project, "MAX_WALKED", 3)
    write(tmp_path, {f"{number}.py": "x\n" for number in range(5)})
    with pytest.raises(UsageError, match="more than 3 files"):
        list_project(place(tmp_path))


def test_changed_is_against_the_last_commit(tree: Path) -> None:
    """Changed, staged and not yet added files have changed; deleted ones are left out."""
    write(tree, {"a.py": "changed\n", "new.py": "n\n", "staged.py": "s\n", "x.log": "l\n"})
    git(tree, "add", "staged.py")
    (tree / "src/b.py").unlink()
    assert changed_files(place(tree)) == ("a.py", "new.py", "staged.py")


def test_changed_against_a_branch_is_since_it_was_left(tree: Path) -> None:
    """What others did on the branch meanwhile does not count."""
    git(tree, "checkout", "--quiet", "-b", "mine")
    write(tree, {"mine.py": "m\n"})
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "-m", "mine")
    git(tree, "checkout", "--quiet", "main")
    write(tree, {"a.py": "theirs\n"})
    git(tree, "commit", "--quiet", "-am", "theirs")
    git(tree, "checkout", "--quiet", "mine")
    assert changed_files(place(tree), "main") == ("mine.py",)


def test_changed_against_an_unrelated_history_is_the_difference(tree: Path) -> None:
    """Without a common commit the two are compared as they are."""
    git(tree, "checkout", "--quiet", "--orphan", "other")
    write(tree, {"a.py": "another\n"})
    git(tree, "commit", "--quiet", "-am", "other")
    assert changed_files(place(tree), "main") == ("a.py",)


@pytest.mark.parametrize("ref", ["nothing", "--output=x", "-h", "a\0b", "", "main:a.py"])
def test_a_revision_that_is_not_there_is_a_mistake(tree: Path, ref: str) -> None:
    """A wrong revision is told of; one that looks like an option does nothing."""
    with pytest.raises(UsageError, match="no revision"):
        changed_files(place(tree), ref)
    assert not (tree / "x").exists()


def test_staged_is_what_a_commit_would_change(tree: Path) -> None:
    """Only staged content counts; deleted files are left out, a new name is in."""
    write(tree, {"a.py": "not staged\n", "new.py": "n\n", "later.py": "l\n"})
    git(tree, "mv", "src/b.py", "src/c.py")
    git(tree, "add", "new.py")
    git(tree, "add", "--intent-to-add", "later.py")
    assert staged_files(place(tree)) == ("new.py", "src/c.py")


def test_git_is_needed_for_what_changed(tmp_path: Path) -> None:
    """Outside of git there is no telling what has changed or is staged."""
    for ask in (changed_files, staged_files):
        with pytest.raises(UsageError, match="needs a git repository"):
            ask(place(tmp_path))
    with pytest.raises(UsageError, match="needs a git repository"):
        export_index(place(tmp_path), tmp_path / "out")


def test_a_broken_repository_is_told_of(tree: Path) -> None:
    """When git cannot answer, its own words are passed on."""
    (tree / ".git/HEAD").write_text("rubbish\n")
    with pytest.raises(GitError, match="not a git repository"):
        list_project(place(tree))


def test_without_git_a_repository_cannot_be_listed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing git is named."""
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(ToolMissingError, match="git is not installed"):
        list_project(place(tree))


def test_variables_of_another_repository_do_not_mislead(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a hook has in its environment leads to no other repository."""
    other = make_repo(tree.parent / "other", {"o.py": "o\n"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert list_project(place(tree)) == ALL


def test_a_monitor_that_the_repository_names_is_not_started(tree: Path) -> None:
    """Listing runs no program that a repository's settings name."""
    trap = tree.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tree.parent}/sprung\n")
    trap.chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(trap))
    assert list_project(place(tree)) == ALL
    assert not (tree.parent / "sprung").exists()


def test_the_index_is_exported_as_it_is_staged(tree: Path) -> None:
    """The export has what is staged, not what lies in the tree."""
    write(tree, {"a.py": "staged\n", "new.py": "n\n"})
    git(tree, "add", "a.py")
    write(tree, {"a.py": "not staged\n"})
    out = tree.parent / "out"
    assert export_index(place(tree), out) == ALL
    assert (out / "a.py").read_text() == "staged\n"
    assert (out / "src/b.py").read_text() == "b\n"
    assert not (out / "new.py").exists()


def test_the_export_has_what_git_ignores_as_links(tree: Path) -> None:
    """Generated code and installed packages are there for tools, our own folders are not."""
    write(tree, {".gitignore": "build/\n.state/\n.venv/\n*.gen.py\n"})
    ignored = ("build/x.py", ".state/x", ".venv/x", "src/v.gen.py", "gone/v.gen.py")
    write(tree, {**dict.fromkeys(ignored, "x\n"), "gone/not_added.py": "n\n"})
    out = tree.parent / "out"
    assert export_index(place(tree), out) == ALL
    assert (out / "build/x.py").read_text() == (out / "src/v.gen.py").read_text() == "x\n"
    assert (out / ".venv").is_symlink()
    assert not (out / ".state").exists()
    assert not (out / "gone").exists()


def test_the_export_keeps_modes_and_line_ends(tree: Path) -> None:
    """An executable stays one, and line ends are those that a checkout would give."""
    write(tree, {".gitattributes": "*.bat eol=crlf\n", "x.bat": "a\n", "run.sh": "#!/bin/sh\n"})
    (tree / "run.sh").chmod(0o755)
    git(tree, "add", ".")
    export_index(place(tree), tree.parent / "out")
    assert (tree.parent / "out/x.bat").read_bytes() == b"a\r\n"
    assert (tree.parent / "out/run.sh").stat().st_mode & 0o111


def test_what_is_only_intended_is_not_exported(tree: Path) -> None:
    """`git add -N` stages no content, so there is none to check."""
    write(tree, {"later.py": "l\n"})
    git(tree, "add", "--intent-to-add", "later.py")
    assert export_index(place(tree), tree.parent / "out") == ALL
    assert not (tree.parent / "out/later.py").exists()

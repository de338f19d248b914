"""`penstock check --staged`: the index, seen by every tool as if it were checked out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.finder import MANIFEST, Project

LISTER = """\
#!/bin/sh
# has seen: every file of its folder, and what they hold
for file in $(find . -name '*.txt' | sort); do echo "$1:1:1: S1 sees $file $(cat "$file")"; done
exit 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a committed file."""
    made = Project(tmp_path)
    made.stage(old="old\n")
    made.git("commit", "-qm", "Old")
    return made


def test_staged_content_and_not_the_file(project: Project) -> None:
    """What is staged decides, and the file on disk is left alone."""
    project.stage(a="BAD\n")
    project.write(a="good\n")
    assert project.check("--staged").code == 1
    assert project.check().code == 0
    assert (project.root / "a.txt").read_text() == "good\n"


def test_only_staged_changes_are_checked(project: Project) -> None:
    """Neither committed files nor files that nobody has added."""
    project.stage(a="good\n")
    project.write(b="BAD\n", old="BAD\n")
    assert project.check("--staged").code == 0
    assert project.checked() == ["a.txt"]


def test_paths_narrow_it(project: Project) -> None:
    """With paths, seen from where one stands, only staged files among these are checked."""
    project.stage(a="BAD\n", deep__b="good\n")
    assert project.check("--staged", "deep").code == 0
    assert project.check("--staged", "b.txt", cwd=project.root / "deep").code == 0
    assert project.checked() == ["deep/b.txt"]  # once: the second answer is from the cache
    assert project.check("--staged", "a.txt").code == 1


def test_nothing_staged_is_nothing_to_check(project: Project) -> None:
    """An index without changes passes."""
    said = project.check("--staged")
    assert (said.code, said.out) == (0, "No files to check.\n")


def test_tools_see_the_whole_index(project: Project) -> None:
    """A tool that looks at other files finds them as they are staged, and no others."""
    lister = project.root.parent / "bin" / "lister"
    lister.write_text(LISTER)
    lister.chmod(0o755)
    tool = {"command": "lister", "version_arguments": []}
    project.declare({**MANIFEST, "plugin_id": "lister", "tool": tool})
    project.stage(a="staged\n")
    project.write(a="on disk\n", untracked="untracked\n")
    out = project.check("--staged", "--only", "lister").out
    assert "sees ./a.txt staged" in out
    assert "sees ./old.txt old" in out
    assert "untracked" not in out


def test_results_are_shared_with_the_working_files(project: Project) -> None:
    """A file that was checked on disk is not run again when it is staged unchanged."""
    project.write(a="good\n")
    project.check()
    project.checked()
    project.stage(a="good\n")
    assert project.check("--staged").code == 0
    assert project.checked() == []


def test_attributes_and_modes_are_those_of_a_checkout(project: Project) -> None:
    """Staged files have the line ends that a checkout would give them, and keep their mode."""
    (project.root / ".gitattributes").write_text("*.txt text eol=crlf\n")
    probe = project.root.parent / "bin" / "probe"
    probe.write_text('#!/bin/sh\ntest -x "$1" && grep -q "$(printf "\\r")" "$1"\n')
    probe.chmod(0o755)
    tool = {"command": "probe", "findings_codes": [], "version_arguments": []}
    project.declare({**MANIFEST, "plugin_id": "probe", "tool": tool})
    project.write(a="good\n")
    (project.root / "a.txt").chmod(0o755)
    project.git("add", "a.txt", ".gitattributes")
    (project.root / "a.txt").chmod(0o644)
    said = project.check("--staged", "--only", "probe", "a.txt")
    assert said.code == 0, said.out


def test_a_file_that_is_only_announced(project: Project) -> None:
    """`git add -N` stages no content, so there is nothing to check."""
    project.write(a="BAD\n")
    project.git("add", "-N", "a.txt")
    assert project.check("--staged").code == 0


def test_the_environment_of_a_hook_does_not_leak(project: Project) -> None:
    """Variables that git gives to hooks reach no tool."""
    probe = project.root.parent / "bin" / "probe"
    probe.write_text('#!/bin/sh\nenv | grep "^GIT_" >"$HOME/seen"\nexit 0\n')
    probe.chmod(0o755)
    project.declare({**MANIFEST, "plugin_id": "probe", "tool": {"command": "probe"}})
    project.stage(a="good\n")
    given = {"GIT_INDEX_FILE": str(project.root / ".git" / "index"), "GIT_AUTHOR_NAME": "A"}
    assert project.check("--staged", "--only", "probe", env=given).code == 0
    assert (project.root.parent / "home" / "seen").read_text() == ""


def test_names_that_need_care(project: Project) -> None:
    """Blanks, quotes, a leading dash and letters of any alphabet are names like others."""
    for name in ("a b", "it's", '"q"', "-x", "größe"):
        project.stage(**{name: "BAD\n"})
    said = project.check("--staged", "--format", "github")
    assert said.code == 1
    for name in ("a b", "it's", '"q"', "-x", "größe"):
        assert f"file={name}.txt,line=1" in said.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_repository_that_cannot_be_written(project: Project) -> None:
    """Where no export can be made it is said, and nothing passes."""
    (project.root / ".state").mkdir(exist_ok=True)
    (project.root / ".state").chmod(0o500)
    project.stage(a="good\n")
    said = project.check("--staged")
    (project.root / ".state").chmod(0o700)
    assert said.code == 2
    assert ".state" in said.err


def test_a_state_folder_that_is_a_file(project: Project) -> None:
    """Where no export can be made it is said, and nothing passes."""
    (project.root / ".state").write_text("")
    project.stage(a="good\n")
    said = project.check("--staged")
    assert said.code == 2
    assert ".state" in said.err

"""`penstock check` as a user calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.cli.findings.formats import MODULES
from tests.support.cli import PENSTOCK, Said, child, plain_environment
from tests.support.finder import MANIFEST, Project
from tests.support.terminal import on_terminal, shown

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "run_error_engine.py"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with one good and one bad file."""
    made = Project(tmp_path)
    made.write(good="all is well\n", deep__bad="one\nBAD\n")
    return made


# -- what is checked -----------------------------------------------------------------------
def test_the_whole_project_is_checked(project: Project) -> None:
    """Without paths all files are; one that failed is shown with its place and the exit code is 1."""
    said = project.check()
    assert said.code == 1
    assert "deep/bad.txt: FAILED | errors=1 warnings=0\n" in said.out
    assert "deep/bad.txt:2:1: error W1 a bad word [find-bad]" in said.out
    assert project.checked() == ["deep/bad.txt", "good.txt"]


def test_named_files_each_get_their_line(project: Project) -> None:
    """A file that was named is told of when it passed, too; those of a folder only with -v."""
    assert project.check("good.txt").out.startswith("good.txt: PASSED | errors=0 warnings=0\n")
    assert "good.txt: PASSED" not in project.check().out
    assert "good.txt: PASSED" in project.check("-v").out


def test_paths_count_from_where_one_stands(project: Project) -> None:
    """Paths are named from the current folder and shown from the top of the repository."""
    said = project.check("bad.txt", cwd=project.root / "deep")
    assert said.code == 1
    assert said.out.startswith("deep/bad.txt: FAILED")
    assert project.check("../good.txt", cwd=project.root / "deep").code == 0


def test_outside_of_git(tmp_path: Path) -> None:
    """A plain folder can be checked; the current folder is its root, and the cache lies there."""
    project = Project(tmp_path, in_git=False)
    project.write(a="BAD\n")
    assert project.check().code == 1
    assert (project.root / ".state" / "validation_cache.db").is_file()
    assert project.check("--changed").code == 2
    assert project.check("--staged").code == 2


def test_a_path_that_is_not_there(project: Project) -> None:
    """A mistake in the command is exit code 2, and the rest is checked all the same."""
    said = project.check("none.txt", "good.txt")
    assert said.code == 2
    assert "none.txt" in said.out + said.err
    assert "good.txt: PASSED" in said.out


def test_nothing_to_check(tmp_path: Path) -> None:
    """An empty folder is no failure."""
    assert Project(tmp_path, in_git=False).check().code == 0


# -- changed -------------------------------------------------------------------------------
def commit(project: Project) -> None:
    """Commit all there is."""
    project.git("add", "-A")
    project.git("commit", "-qm", "All")


def test_only_what_has_changed(project: Project) -> None:
    """--changed means since the last commit, added files included."""
    commit(project)
    project.write(good="better\n", fresh="new\n")
    said = project.check("--changed")
    assert said.code == 0, said.out
    assert project.checked() == ["fresh.txt", "good.txt"]


def test_changed_since_a_revision(project: Project) -> None:
    """With a revision, everything since then counts, and paths narrow it."""
    commit(project)
    project.write(good="better\n")
    commit(project)
    assert project.check("--changed=HEAD~1").code == 0
    assert project.check("--changed=HEAD~2").code == 1
    assert project.check("--changed=HEAD~2", "good.txt").code == 0


def test_a_path_that_was_taken_for_a_revision(project: Project) -> None:
    """`--changed PATH` is a mistake that is explained."""
    commit(project)
    said = project.check("--changed", "deep")
    assert said.code == 2
    assert "penstock check deep --changed" in said.err


# -- the cache -----------------------------------------------------------------------------
def test_what_failed_fails_again_without_being_run(project: Project) -> None:
    """An unchanged file is not given to its checker again, and is as bad as it was."""
    first = project.check()
    project.checked()
    second = project.check()
    assert (second.code, project.checked()) == (1, [])
    assert "deep/bad.txt:2:1" in second.out
    assert first.out.splitlines()[:2] == second.out.splitlines()[:2]
    project.write(deep__bad="mended\n")
    assert project.check().code == 0
    assert project.checked() == ["deep/bad.txt"]


def test_without_the_cache_all_is_run(project: Project) -> None:
    """--no-cache neither reads nor keeps a result."""
    assert project.check("--no-cache").code == 1
    assert not (project.root / ".state" / "validation_cache.db").exists()
    project.checked()
    project.check("--no-cache")
    assert project.checked() == ["deep/bad.txt", "good.txt"]


def test_the_cache_can_lie_elsewhere(project: Project, tmp_path: Path) -> None:
    """--cache moves it; a relative path counts from the current folder."""
    project.check("--cache", "mine.db", cwd=project.root / "deep")
    assert (project.root / "deep" / "mine.db").is_file()
    assert not (project.root / ".state" / "validation_cache.db").exists()


def test_a_json_cache_is_set_aside(project: Project, tmp_path: Path) -> None:
    """A cache of the earlier implementation is kept under another name, with a note."""
    old = tmp_path / "validation_cache.json"
    old.write_text('{"good.txt": {"hash": "12"}}\n')
    said = project.check("--cache", str(old))
    assert said.code == 1
    assert "set aside" in said.out + said.err
    assert (tmp_path / "validation_cache.json.set-aside-1").read_text().startswith("{")


def test_a_state_folder_that_is_a_file(project: Project) -> None:
    """Where nothing can be kept files are checked all the same, and it is said."""
    (project.root / ".state").write_text("mine")
    said = project.check()
    assert said.code == 1
    assert "deep/bad.txt:2:1" in said.out
    assert "validation_cache.db" in said.out + said.err
    assert "pipeline_errors.jsonl" in said.err
    assert (project.root / ".state").read_text() == "mine"


def test_git_sees_nothing_of_ours(project: Project) -> None:
    """The cache and the log are hidden from git, in a repository that was never prepared."""
    commit(project)
    project.check()
    assert (project.root / ".state" / "pipeline_errors.jsonl").is_file()
    assert project.git("status", "--porcelain", "--untracked-files=all").out == ""


def test_every_run_is_logged(project: Project) -> None:
    """Files that were run are validated in the log, those from the cache skipped."""
    project.check()
    project.check()
    log = (project.root / ".state" / "pipeline_errors.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    seen = [
        (line["path"], line["event"], line["status"]) for line in lines if "txt" in line["path"]
    ]
    bad = [("deep/bad.txt", "validated", "FAILED"), ("deep/bad.txt", "skipped", "FAILED")]
    good = [("good.txt", "validated", "PASSED"), ("good.txt", "skipped", "PASSED")]
    assert sorted(seen) == sorted([*bad, *good])


def test_explain_names_what_has_changed(project: Project) -> None:
    """--explain says for each result whether it was kept, and why not."""
    assert "not checked before" in project.check("--explain").out
    project.write(good="better\n")
    out = project.check("--explain").out
    assert "words: ran, content changed" in out
    assert "from the cache" in out


# -- plugins -------------------------------------------------------------------------------
def test_only_and_skip(project: Project) -> None:
    """Plugins can be chosen and left out; an unknown one is a mistake that names the nearest."""
    assert project.check("--only", "words").code == 1
    assert project.check("--skip", "words,json_syntax").code == 0
    wrong = project.check("--only", "word")
    assert wrong.code == 2
    assert "words" in wrong.err


def test_a_missing_tool_is_named_and_can_be_required(project: Project) -> None:
    """Skipped with its hint, and an error of its files with --require."""
    project.declare(
        {
            **MANIFEST,
            "plugin_id": "absent",
            "tool": {"command": "no-such-tool", "install": "make no-such-tool"},
        }
    )
    said = project.check("good.txt", "--only", "words,absent")
    assert said.code == 0
    assert "absent: skipped" in said.out
    assert "make no-such-tool" in said.out
    assert project.check("good.txt", "--only", "words,absent", "--require").code == 1


def test_warnings_fail_only_when_strict(project: Project) -> None:
    """A warning is told and fails nothing, unless --strict is given."""
    project.declare({**MANIFEST, "output": {**MANIFEST["output"], "severity": "warning"}})
    said = project.check("deep/bad.txt")
    assert (said.code, "errors=0 warnings=1" in said.out) == (0, True)
    assert "-v shows the warnings" in said.err
    assert "-v shows" not in project.check("good.txt", "README.md").err
    assert project.check("deep/bad.txt", "--strict").code == 1


def test_the_list_of_plugins(project: Project) -> None:
    """Each plugin with its tool, or how to get it; 80 columns on a terminal, JSON for machines."""
    out = project.check("--list").out
    assert "words" in out
    assert "find-bad 1.0" in out
    assert "pip install" in out
    rows = project.check("--list", "--json").json["plugins"]
    mine = next(row for row in rows if row["plugin_id"] == "words")
    assert (mine["available"], mine["version"]) == (True, "1.0")


def test_a_broken_manifest_is_told(project: Project) -> None:
    """A plugin that cannot be loaded is named, and the others work."""
    project.declare({**MANIFEST, "plugin_id": "odd", "nonsense": 1})
    said = project.check()
    assert said.code == 1
    assert "odd" in said.out + said.err
    assert "a bad word" in said.out


# -- output --------------------------------------------------------------------------------
@pytest.mark.parametrize("style", sorted(MODULES))
def test_every_format_holds_the_finding(project: Project, style: str) -> None:
    """Each format is complete on stdout, tells the finding, and has the same exit code."""
    said = project.check("--format", style)
    assert said.code == 1, said.err
    assert "a bad word" in said.out
    assert "bad.txt" in said.out


def test_json_is_json_alone(project: Project) -> None:
    """--json is --format json, and an error is JSON too."""
    document = project.check("--json").json
    assert document["status"] == "FAILED"
    assert {one["file_in"] for one in document["files"]} >= {"good.txt", "deep/bad.txt"}
    wrong = project.check("--json", "--only", "nothing")
    assert wrong.code == 2
    assert wrong.json["error"]["exit_code"] == 2


def test_options_that_contradict(project: Project) -> None:
    """Two that cannot be meant together are a mistake."""
    said = project.check("--staged", "--fix")
    assert said.code == 2
    assert "do not go together" in said.err


# -- baseline ------------------------------------------------------------------------------
def test_a_baseline_lets_old_findings_be(project: Project) -> None:
    """What it knows fails nothing, when lines move too; what is new does."""
    assert project.check("--update-baseline", cwd=project.root / "deep").code == 0
    assert (project.root / ".penstock-baseline.json").is_file()
    known = ("--baseline", ".penstock-baseline.json")
    project.write(deep__bad="zero\none\nBAD\n")
    said = project.check(*known)
    assert said.code == 0, said.out
    assert "1 in the baseline" in said.out
    project.write(deep__bad="BAD too\none\nBAD\n")
    said = project.check(*known)
    assert said.code == 1
    assert "bad.txt:1:1" in said.out
    assert "bad.txt:3:1" not in said.out


def test_a_baseline_is_not_checked_itself(project: Project) -> None:
    """Its fingerprints are no secrets and its text is ours, whatever name it was given."""
    known = ("--baseline", "known.txt")
    assert project.check(*known, "--update-baseline").code == 0
    assert project.check(*known, "--no-cache").code == 0
    assert "known.txt" not in project.checked()


def test_an_update_without_a_tool_keeps_what_it_found(project: Project) -> None:
    """Another plugin alone, or a machine without the tool, does not make known findings new."""
    assert project.check("--update-baseline").code == 0
    before = (project.root / ".penstock-baseline.json").read_text()
    (project.root.parent / "bin" / "find-bad").rename(project.root.parent / "find-bad")
    said = project.check("--update-baseline")
    assert "gone" not in said.out
    assert (project.root / ".penstock-baseline.json").read_text() == before


def test_a_baseline_that_is_not_there(project: Project) -> None:
    """A baseline that cannot be read is a mistake, and not an empty one."""
    said = project.check("--baseline", "none.json")
    assert said.code == 2
    assert "--update-baseline" in said.err


# -- stopping ------------------------------------------------------------------------------
def test_an_interrupt_ends_the_tool_and_keeps_what_is_known(project: Project) -> None:
    """Ctrl-C ends a tool that hangs, exit code 130."""
    slow = project.root.parent / "bin" / "find-bad"
    begun = project.root.parent / "begun"
    slow.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && exit 0\ntouch '{begun}'\nsleep 300\n")
    running = subprocess.Popen(
        [*PENSTOCK, "check", "--only", "words"],
        cwd=project.root,
        env={**plain_environment(), **project.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(begun)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert b"interrupted" in out


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- on a terminal -------------------------------------------------------------------------
@pytest.fixture
def terminal(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with its checker declared in the repository, for a terminal of this process."""
    place = project.root / "config" / "error_plugins" / "words"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps(MANIFEST))
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return project


def test_a_terminal_of_80_columns(terminal: Project) -> None:
    """The list and a report fit the screen, and states have colours there unless one objects."""
    code, text = on_terminal("check", "--list", cwd=terminal.root)
    assert code == 0
    assert max(len(line) for line in shown(text)) <= 80
    code, text = on_terminal("check", cwd=terminal.root)
    assert code == 1
    assert max(len(line) for line in shown(text)) <= 80
    assert "\x1b[31mFAILED\x1b[0m" in text


def test_no_color_is_honoured(terminal: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set, a terminal gets plain text."""
    monkeypatch.setenv("NO_COLOR", "1")
    _, text = on_terminal("check", cwd=terminal.root)
    assert "deep/bad.txt: FAILED" in text


def test_a_long_check_shows_how_far_it_is(terminal: Project) -> None:
    """The line names the plugins at work, and is gone when the result is printed."""
    slow = terminal.root.parent / "bin" / "find-bad"
    slow.write_text(slow.read_text().replace("exec awk", "sleep 2\nexec awk"))
    code, text = on_terminal("check", "--only", "words", cwd=terminal.root)
    assert code == 1
    line, _, rest = text.rpartition("\r\x1b[K")
    assert "words 0/2" in line
    assert "words 0/2" not in rest
    assert "a bad word" in rest


# -- the documented script -----------------------------------------------------------------
def script(project: Project, *args: str) -> Said:
    """Run the documented script from the top of the repository."""
    return child(*args, cwd=project.root, env=project.env, program=[sys.executable, str(SCRIPT)])


def test_the_script_prints_a_line_for_each_file(project: Project) -> None:
    """stdout holds the documented lines and nothing else, in the order of the files' names."""
    said = script(project, "good.txt", "deep/bad.txt")
    assert said.code == 1
    assert said.out == (
        "deep/bad.txt: FAILED | errors=1 warnings=0\ngood.txt: PASSED | errors=0 warnings=0\n"
    )
    assert "a bad word" in said.err


def test_the_exit_codes_of_the_script(project: Project) -> None:
    """0 when all pass, 1 when one fails, 2 for a mistake; without files it is one."""
    assert script(project, "good.txt").code == 0
    assert script(project, "deep/bad.txt").code == 1
    assert script(project, "none.txt").code == 2
    assert script(project).code == 2
    assert script(project, "good.txt", "--nonsense").code == 2


def test_the_cache_of_the_script(project: Project) -> None:
    """It lies where `penstock check` has it, and --cache moves it; its folder is made."""
    script(project, "good.txt")
    assert (project.root / ".state" / "validation_cache.db").is_file()
    assert script(project, "good.txt", "--cache", "far/away.db").code == 0
    assert (project.root / "far" / "away.db").is_file()
    project.checked()
    script(project, "good.txt")
    assert project.checked() == []


# -- weight --------------------------------------------------------------------------------
def test_a_warm_check_is_light(project: Project) -> None:
    """With nothing changed neither rich nor YAML nor the schema library is imported, and no tool
    is started."""
    project.check()
    project.checked()
    code = (
        "import sys; from penstock.cli.main import main; main(['check']);"
        "heavy = ('rich', 'yaml', 'jsonschema_rs', 'asyncio', 'importlib.metadata', 'cryptography');"
        "print([m for m in heavy if m in sys.modules])"
    )
    env = {**plain_environment(), **project.env}
    line = [sys.executable, "-c", code]
    done = subprocess.run(
        line, cwd=project.root, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert project.checked() == []

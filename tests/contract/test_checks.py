"""Checks as they really run: ruff and pytest in a worktree, and tools that misbehave."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import msgspec
import pytest

from penstock.checks.api import CheckRun
from penstock.model.finding import Category, Severity
from penstock.model.settings import ToolProfile
from penstock.process.api import Stop
from tests.support.checking import (
    PlainFilter,
    Scene,
    ShoutingFilter,
    python_scene,
)
from tests.support.repofiles import tree_of

SH = "#!/bin/sh\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A repository with a small Python package and its test."""
    return python_scene(tmp_path / "repo")


@pytest.fixture
def bare(tmp_path: Path) -> Scene:
    """A repository without any code."""
    return Scene(tmp_path / "repo")


# -- the real tools --------------------------------------------------------------------------
def test_clean_code_passes_both_steps(scene: Scene) -> None:
    """ruff and pytest are detected, pass, and leave the tree as it was."""
    before = tree_of(scene.tree)
    static, runtime = scene.only("static"), scene.only("runtime")
    assert (static.passed, static.check.check_id) == (True, "ruff")
    assert (runtime.passed, runtime.check.check_id, runtime.tests) == (True, "pytest", 1)
    assert tree_of(scene.tree) == before


def test_a_finding_is_told_again_after_its_line_has_moved(scene: Scene) -> None:
    """By its fingerprint, which comes from the lines of the worktree."""
    (first,) = scene.write({"src/calc/extra.py": "import os\n"}).only("static").findings
    moved = {"src/calc/extra.py": '"""Words."""\n\nimport os\n'}
    (second,) = scene.write(moved).only("static").findings
    assert (first.line, second.line) == (1, 3)
    assert first.fingerprint == second.fingerprint is not None


def test_ruff_findings_are_read(scene: Scene) -> None:
    """A lint error becomes a finding with place and code, and a readable line in the log."""
    run = scene.write({"src/calc/extra.py": "import os\n"}).only("static")
    assert (run.passed, run.exit_code, run.problem) == (False, 1, None)
    found = next(finding for finding in run.findings if finding.code == "F401")
    assert (found.path, found.line, found.column) == ("src/calc/extra.py", 1, 8)
    assert "src/calc/extra.py:1:8: F401 `os` imported but unused" in run.tail
    assert "src/calc/extra.py:1:8: F401" in scene.log.read_text()


def test_a_syntax_error_is_told_as_one(scene: Scene) -> None:
    """Code that does not parse is a syntax finding."""
    run = scene.write({"src/calc/extra.py": "x = (\n"}).only("static")
    assert Category.SYNTAX in {finding.category for finding in run.findings}


def test_the_repositorys_own_ruff_configuration_counts(scene: Scene) -> None:
    """What the repository allows is no finding, and a broken configuration fails the check."""
    scene.write({"src/calc/extra.py": "import os\n", "ruff.toml": '[lint]\nselect = ["E9"]\n'})
    assert scene.only("static").passed
    run = scene.write({"ruff.toml": "[lint\n"}).only("static")
    assert (run.passed, run.exit_code) == (False, 2)
    assert "ruff.toml" in run.findings[0].message


def test_a_failing_test_is_read(scene: Scene) -> None:
    """A failing test becomes a finding with file, line, test id and message."""
    run = scene.write({"src/calc/__init__.py": "def add(a, b):\n    return 0\n"}).only("runtime")
    assert (run.passed, run.exit_code, run.tests, run.flaky) == (False, 1, 1, False)
    (found,) = run.findings
    assert (found.path, found.line) == ("tests/test_calc.py", 5)
    assert found.message.startswith("tests/test_calc.py::test_add: assert 0 == 3")
    assert found.category is Category.TEST_FAILURE
    assert "test_add" in run.tail


def test_a_collection_error_leaves_the_count_unknown(scene: Scene) -> None:
    """A file that cannot be collected is a finding, and the number of tests is not known."""
    run = scene.write({"tests/test_more.py": "import nowhere\n"}).only("runtime")
    assert (run.passed, run.exit_code, run.tests) == (False, 2, None)
    (found,) = run.findings
    assert found.path == "tests/test_more.py"
    assert "No module named 'nowhere'" in found.message


def test_no_tests_are_no_failure(bare: Scene) -> None:
    """pytest's exit code 5 passes, says so, and counts 0 tests."""
    run = bare.write({"tests/test_none.py": "", "pytest.ini": "[pytest]\n"}).only("runtime")
    assert (run.passed, run.exit_code, run.tests) == (True, 5, 0)
    assert [f.severity for f in run.findings] == [Severity.INFO]


def test_skipped_tests_do_not_count(scene: Scene) -> None:
    """Tests that an agent switches off fall out of the number."""
    more = "import pytest\n@pytest.mark.skip\ndef test_a(): pass\ndef test_b(): pass\n"
    assert scene.write({"tests/test_more.py": more}).only("runtime").tests == 2


def test_a_run_that_stops_early_has_no_count(scene: Scene) -> None:
    """With -x the number of tests that ran says nothing about how many there are."""
    scene.write(
        {"tests/test_a.py": "def test_a(): assert 0\n", "pytest.ini": "[pytest]\naddopts=-x\n"}
    )
    run = scene.only("runtime")
    assert (run.exit_code, run.tests) == (1, None)


def test_pytest_options_of_the_repository_stay(scene: Scene) -> None:
    """A repository without cache plug-in and with strict settings is not disturbed."""
    ini = "[pytest]\naddopts = -p no:cacheprovider --strict-config -W error --color=yes\n"
    assert scene.write({"pytest.ini": ini}).only("runtime").passed


def test_python_m_pytest_is_read_like_pytest(scene: Scene) -> None:
    """An acceptance command that runs pytest as a module is judged and counted the same."""
    check = scene.plan("runtime", "$ python -m pytest -q tests", runtime_tools=())[0][0]
    run = scene.run(check)
    assert (run.passed, run.tests, run.check.acceptance) == (True, 1, True)
    assert run.check.success_codes == (0, 5)


def test_mypy_findings_are_read(scene: Scene) -> None:
    """mypy runs over the tree and its errors are type findings."""
    script = '#!/bin/sh\necho "src/calc/__init__.py:1:5: error: Nope  [misc]"\nexit 1\n'
    run = scene.tool("mypy", script).run_tool("mypy")
    assert run.check.argv == ("mypy", "--show-column-numbers", "--no-pretty", ".")
    assert [(f.code, f.category) for f in run.findings] == [("misc", Category.TYPE)]


def test_the_log_is_filtered(scene: Scene) -> None:
    """What any check prints goes to the log through the filter, ruff's lines too."""
    scene.write({"src/calc/extra.py": "import os\n"}).tool("say", f"{SH}echo words\n")
    checks = scene.checks(static_tools=("ruff", "say"))
    for check in checks.plan("static", scene.tree, ())[0]:
        checks.run(check, scene.context(), Stop(), ShoutingFilter)
    log = scene.log.read_text()
    assert "SRC/CALC/EXTRA.PY:1:8: F401" in log
    assert "WORDS" in log
    assert log == log.upper()


# -- tools that misbehave --------------------------------------------------------------------
def test_a_check_that_hangs_is_stopped(bare: Scene) -> None:
    """Past its time a check is stopped and failed, and a runtime one is not run again."""
    script = f"{SH}echo started >> runs\nsleep 300\n"
    run = bare.tool("hang", script, timeout_sec=0.5).run_tool("hang", "runtime")
    assert (run.passed, run.timed_out, run.problem) == (False, True, None)
    assert "did not end within 0.5 s" in run.findings[0].message
    assert (bare.tree / "runs").read_text() == "started\n"


def test_a_flaky_runtime_check_passes_with_a_mark(bare: Scene) -> None:
    """Failing once and passing then is a pass, flaky, with the first findings as warnings."""
    script = f"{SH}test -e ran && exit 0\ntouch ran\necho unlucky\nexit 1\n"
    run = bare.tool("coin", script).run_tool("coin", "runtime")
    assert (run.passed, run.flaky, run.exit_code) == (True, True, 0)
    assert [(f.severity, f.message) for f in run.findings] == [
        (Severity.WARNING, "exit code 1: unlucky")
    ]


@pytest.mark.parametrize(("step", "times"), [("static", 1), ("runtime", 2)])
def test_only_runtime_checks_run_twice(bare: Scene, step: str, times: int) -> None:
    """A failing static check runs once, a failing runtime check twice."""
    run = bare.tool("fail", f"{SH}echo x >> runs\nexit 3\n").run_tool("fail", step)
    assert (run.passed, run.exit_code, run.flaky) == (False, 3, False)
    assert (bare.tree / "runs").read_text() == "x\n" * times


def test_a_check_killed_by_a_signal_fails(bare: Scene) -> None:
    """Death by a signal is a failure that names the signal."""
    run = bare.tool("die", f"{SH}kill -SEGV $$\n").run_tool("die")
    assert (run.passed, run.exit_code) == (False, -signal.SIGSEGV)
    assert run.findings[0].message == "was killed by SIGSEGV"


def test_the_success_codes_of_the_profile_count(bare: Scene) -> None:
    """What a profile calls success passes, 0 included only when it is listed."""
    bare.tool("odd", f"{SH}exit 7\n", success_exit_codes=(7,))
    bare.tool("even", f"{SH}exit 0\n", success_exit_codes=(7,))
    assert bare.run_tool("odd").passed
    assert not bare.run_tool("even").passed


def test_100_mb_of_output_cost_little(bare: Scene) -> None:
    """A chatty check is judged by its end, with bounded tail and findings."""
    script = f"{SH}head -c 100000000 /dev/zero | tr '\\0' 'x'\necho\necho the end\nexit 1\n"
    bare.tool("chatty", script)
    run = bare.run_tool("chatty")
    assert run.tail.endswith("the end")
    assert len(run.tail) <= 8000
    assert len(run.findings[0].message) <= 2000
    assert bare.log.stat().st_size > 100_000_000


def test_many_findings_are_cut(bare: Scene) -> None:
    """More than 200 findings are not kept."""
    bare.write({"a.txt": "x\n"})
    bare.tool("list", f"{SH}seq 1000 | sed 's/.*/a.txt:&:1: wrong &/'\nexit 1\n")
    run = bare.run_tool("list")
    assert len(run.findings) == 200
    assert (run.findings[0].path, run.findings[0].line) == ("a.txt", 1)


def test_a_daemon_left_behind_is_swept(bare: Scene) -> None:
    """What a check leaves running is ended, and counted."""
    bare.tool("daemon", f"{SH}setsid sleep 300 >/dev/null 2>&1 &\necho $! > pid\nexit 0\n")
    run = bare.run_tool("daemon")
    assert run.passed
    assert run.swept >= 1
    left = int((bare.tree / "pid").read_text())
    assert not Path(f"/proc/{left}").exists() or " Z" in Path(f"/proc/{left}/stat").read_text()


def test_binary_and_coloured_output_is_cleaned(bare: Scene) -> None:
    """Escapes, control characters and wrong bytes never reach a finding."""
    bare.tool("odd", f"{SH}printf '\\033[31mred\\033[0m \\377\\000\\007end\\r\\n'\nexit 1\n")
    assert bare.run_tool("odd").tail == "red \ufffdend"


def test_a_check_may_write_into_the_tree(bare: Scene) -> None:
    """Writing is not judged here, and what was written is still there to be judged."""
    bare.tool("writer", f"{SH}echo x > made.txt\n")
    assert bare.run_tool("writer").passed
    assert (bare.tree / "made.txt").exists()


def test_nothing_is_left_in_the_temporary_folder(
    bare: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder for debris is removed, write-protected parts of it too."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    script = f"{SH}mkdir -p $TMPDIR/a/b; touch $TMPDIR/a/b/c; chmod 0 $TMPDIR/a/b $TMPDIR/a\n"
    assert bare.tool("mess", script).run_tool("mess").passed
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_temporary_folder_that_cannot_be_made_is_a_problem(
    bare: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, the check says so and does not raise."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    run = bare.tool("ok", f"{SH}exit 0\n").run_tool("ok")
    assert run.problem == "ok cannot be run: No such file or directory"


# -- what changes under us -------------------------------------------------------------------
def test_a_tool_that_has_gone_is_a_problem(bare: Scene) -> None:
    """A tool taken away between planning and running is an environment error."""
    (check,), _ = bare.tool("gone", SH).plan("static", static_tools=("gone",))
    (bare.venv / "bin" / "gone").unlink()
    run = bare.run(check)
    assert run.problem is not None
    assert "gone is not installed" in run.problem


def test_a_tool_without_its_interpreter_is_a_problem(bare: Scene) -> None:
    """A script whose first line names nothing that is here cannot have judged anything."""
    run = bare.tool("broken", "#!/no/such/python\n").run_tool("broken")
    assert run.problem is not None
    assert "interpreter" in run.problem


def test_a_folder_that_has_gone_is_a_problem(bare: Scene) -> None:
    """A working folder that the turn deleted is told as such."""
    bare.tool("ok", f"{SH}exit 0\n")
    bare.profiles["ok"] = ToolProfile(tool_id="ok", command="ok", working_dir="sub")
    run = bare.run_tool("ok")
    assert run.problem is not None
    assert "there is no folder" in run.problem


def test_a_script_of_the_worktree_is_a_tool(bare: Scene) -> None:
    """A command with a path is the worktree's own file; when it is missing, that is said."""
    bare.profiles["own"] = ToolProfile(tool_id="own", command="scripts/lint")
    missing = bare.run_tool("own")
    assert "scripts/lint is not installed" in str(missing.problem)
    bare.write({"scripts/lint": f"{SH}exit 0\n"})
    (bare.tree / "scripts/lint").chmod(0o755)
    assert bare.run_tool("own").passed


def interrupted_run(scene: Scene) -> CheckRun:
    """Run a check that never ends and ask it to stop once it has begun."""
    (check,), _ = scene.plan("runtime", runtime_tools=("slow",))
    stop = Stop()

    def ask() -> None:
        deadline = time.monotonic() + 20
        while not (scene.tree / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        stop.ask()

    asker = threading.Thread(target=ask)
    asker.start()
    run = scene.run(check, stop)
    asker.join()
    return run


def test_an_interrupt_ends_a_check_without_another_run(bare: Scene) -> None:
    """Ctrl-C ends the check; it is neither passed nor run again."""
    bare.tool("slow", f"{SH}echo x >> runs; touch begun\nsleep 300\n", type="test")
    run = interrupted_run(bare)
    assert (run.passed, run.interrupted, run.timed_out) == (False, True, False)
    assert (bare.tree / "runs").read_text() == "x\n"


def test_the_environment_is_the_least(bare: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, import paths and git's variables of the user do not reach a check."""
    for name in ("OPENAI_API_KEY", "PYTHONPATH", "GIT_DIR", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "leaked")
    run = bare.tool("show", f"{SH}env\nexit 1\n", env={"MINE": "{worktree_path}"}).run_tool("show")
    assert "leaked" not in run.tail
    assert f"MINE={bare.tree}" in run.tail
    assert "PYTHONDONTWRITEBYTECODE=1" in run.tail


def test_each_command_stands_in_the_log(bare: Scene) -> None:
    """The log of a step tells which command printed what."""
    bare.tool("one", f"{SH}echo first\n").tool("two", f"{SH}echo second >&2\n", args=("a b",))
    for tool_id in ("one", "two"):
        bare.run_tool(tool_id)
    assert bare.log.read_text() == "$ one\nfirst\n$ two 'a b'\nsecond\n"


@pytest.mark.parametrize("tool_id", ["ok", "ruff"])
def test_a_log_on_a_full_disk_is_remarked(bare: Scene, tool_id: str) -> None:
    """The check counts all the same, and says that its log is lost."""
    (check,), _ = bare.tool("ok", f"{SH}echo x\n").plan("static", static_tools=(tool_id,))
    context = msgspec.structs.replace(bare.context(), log=Path("/dev/full"))
    run = bare.checks().run(check, context, Stop(), PlainFilter)
    assert run.passed
    assert [f.severity for f in run.findings] == [Severity.INFO]
    assert "cannot be written: No space left on device" in run.findings[0].message


def test_an_acceptance_command_that_needs_a_shell_is_not_run(scene: Scene) -> None:
    """It is a problem that names the operator, and nothing is started."""
    checks, notes = scene.plan("runtime", "pytest -q && touch made", runtime_tools=())
    run = scene.run(checks[0])
    assert run.problem is not None
    assert "the operator &&" in run.problem
    assert run.problem in notes
    assert not (scene.tree / "made").exists()


def test_python_stands_for_python3(bare: Scene) -> None:
    """Where only `python3` is installed, an acceptance command with `python` still runs."""
    (bare.venv / "bin" / "python").unlink()
    path = os.environ["PATH"]
    os.environ["PATH"] = "/nowhere"
    try:
        run = bare.only("runtime", "python -c 'print(1)'", runtime_tools=())
    finally:
        os.environ["PATH"] = path
    assert run.passed

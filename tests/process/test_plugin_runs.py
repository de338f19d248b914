"""Tools that crash, hang and lie: whatever they do, their end is judged right."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.plugins import declared, toolfind
from penstock.checks.plugins.port import PluginResult, ToolFacts, Unavailable
from penstock.model.finding import Severity
from tests.support.children import is_running
from tests.support.plugins import Bench

HIT = "echo 'a.txt:3: teh ==> the'"


@pytest.fixture(name="bench")
def _bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a bench whose machine is the only one on PATH."""
    bench = Bench(tmp_path.resolve())
    for name, value in bench.machine.environ.items():
        monkeypatch.setenv(name, value)
    return bench


def problem(result: PluginResult) -> str:
    """Return why a run could do no work, which must be no success."""
    assert not result.success
    assert result.problem is not None
    return result.problem


# -- results -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("end", "tool"),
    [
        ("exit 0", {}),
        ("exit 1", {}),
        ("exit 65", {"findings_codes": "any"}),
        ("exit 12", {"findings_mask": 31, "findings_codes": ()}),
    ],
)
def test_findings_are_findings(bench: Bench, end: str, tool: dict[str, Any]) -> None:
    """Findings count with exit 0, with the announced code, any code, and bits of a mask."""
    result = bench.run(f"{HIT}; {end}", tool=tool)
    assert (result.success, result.problem) == (True, None)
    (found,) = result.issues
    assert (found.path, found.line, found.message, found.tool) == (
        "a.txt",
        3,
        "teh ==> the",
        "spell",
    )


def test_a_clean_run_is_told_whole(bench: Bench) -> None:
    """A result has the streams, the exit code, the time and the command."""
    result = bench.run("echo fine >&2", files=["a.txt", "b c.txt"])
    assert (result.success, result.issues, result.returncode) == (True, (), 0)
    assert result.stderr == "fine\n"
    assert result.duration_ms >= 0
    assert result.metadata["command"] == [str(bench.machine.bin / "spell"), "a.txt", "b c.txt"]


def test_a_report_file_is_read(bench: Bench) -> None:
    """A tool that writes its findings into a file is read there, and the file is gone after."""
    write = 'printf "a.txt:3: teh\\n" >"$1"; echo noise.txt:1: no; exit 1'
    result = bench.run(write, tool={"arguments": ["{report}"]}, output={"stream": "report"})
    assert [(found.path, found.message) for found in result.issues] == [("a.txt", "teh")]
    assert list(bench.scratch.iterdir()) == []


def test_files_stand_where_the_manifest_wants_them(bench: Bench) -> None:
    """`{files}` is the batch, in the middle too; odd names are no options, patterns or lists."""
    odd = ["-rf.txt", "@list", "!not", "a b'\"$x.txt"]
    result = bench.run("true", files=odd, tool={"arguments": ["-c", "{files}", "--end"]})
    names = ["./-rf.txt", "./@list", "./!not", "a b'\"$x.txt"]
    assert result.metadata["command"][1:] == ["-c", *names, "--end"]


def test_a_tool_runs_in_the_tree_with_its_variables(bench: Bench) -> None:
    """The working folder is the tree; variables of the manifest are filled in."""
    script = 'printf "%s\\n" "$PWD" "$CACHE" "$TMPDIR" "$LC_ALL" "$NO_COLOR"'
    result = bench.run(script, tool={"env": {"CACHE": "{cache}/x", "LC_ALL": "C.UTF-8"}})
    folder, cache, scratch, locale, colours = result.stdout.splitlines()
    assert (folder, cache) == (str(bench.tree), f"{bench.folder / 'cache'}/x")
    assert Path(scratch).parent == bench.scratch
    assert (locale, colours) == ("C.UTF-8", "1")


def test_the_configuration_is_filled_in(bench: Bench) -> None:
    """`{config}` is the first configuration that is there."""
    (bench.tree / "spell.cfg").touch()
    tool = {"arguments": ["--config={config}"], "needs_config": ["x.cfg", "*.cfg"]}
    assert bench.run("true", tool=tool).metadata["command"][1] == "--config=spell.cfg"


def test_nothing_of_a_run_is_left(bench: Bench) -> None:
    """What a tool leaves in its temporary folder is gone after the run."""
    assert bench.run('mkdir -p "$TMPDIR/a/b"; touch "$TMPDIR/a/b/c"; chmod 0 "$TMPDIR/a"').success
    assert list(bench.scratch.iterdir()) == []


def test_batches_at_the_same_time_keep_apart(bench: Bench) -> None:
    """Eight batches of one plugin at once each have a report of their own."""
    script = 'sleep 0.05; printf "%s:3: teh\\n" "$2" >"$1"; exit 1'
    path = bench.machine.program("spell", script)
    call = bench.call(ToolFacts(executable=path, version="1", identity="i"))
    plugin = bench.plugin(tool={"arguments": ["{report}"]}, output={"stream": "report"})
    names = [f"{number}.txt" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda name: plugin.check([name], bench.place, call), names))
    assert [[found.path for found in result.issues] for result in results] == [[n] for n in names]


# -- crashes and lies ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("kill -KILL $$", "was killed by SIGKILL"),
        (f"{HIT}; kill -TERM $$", "was killed by SIGTERM"),
        ("echo Traceback >&2; exit 1", "told of nothing that it found: Traceback"),
        ("exit 1", "with exit code 1, but told of nothing that it found"),
        ("echo usage >&2; exit 2", "failed with exit code 2: usage"),
        (f"{HIT}; exit 2", "failed with exit code 2: a.txt:3"),
        ("head -c 40000 /dev/urandom; exit 1", "exit code 1"),
        ("exit 255", "failed with exit code 255"),
    ],
)
def test_a_crash_is_a_problem(bench: Bench, script: str, said: str) -> None:
    """A signal, an unknown code, an announced finding that is not there: never a pass."""
    assert said in problem(bench.run(script))


@pytest.mark.parametrize(
    "script",
    ["true", "echo '{'", "echo null", "head -c 4000 /dev/urandom", "echo '{\"items\": 5}'"],
)
def test_rubbish_with_a_clean_exit_is_a_problem(bench: Bench, script: str) -> None:
    """A tool that promises JSON and says nothing of the kind has a problem, exit 0 or not."""
    mapping = {"items": "items[]", "path": "path", "message": "message"}
    result = bench.run(script, output={"reader": "json", "pattern": None, "mapping": mapping})
    assert "nothing that could be read" in problem(result)


def test_a_hanging_tool_is_stopped(bench: Bench) -> None:
    """A tool that does not end in its time is stopped with all that it started, and told."""
    began = time.monotonic()
    result = bench.run("sleep 1000 & echo $! >pid; wait", tool={"timeout_s": 0.4})
    assert problem(result) == "spell did not end within 0.4 s and was stopped"
    assert time.monotonic() - began < 15
    assert not is_running(int((bench.tree / "pid").read_text(encoding="utf-8")))


def test_a_large_batch_gets_more_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of a manifest holds for so many files, and grows with a batch of more."""
    monkeypatch.setattr(declared, "FILES_IN_TIME", 2)
    result = bench.run("sleep 1000", files=["a", "b", "c", "d"], tool={"timeout_s": 0.25})
    assert problem(result) == "spell did not end within 0.5 s and was stopped"
    assert result.metadata["timed_out"]


def test_a_tool_that_talks_without_end_is_a_problem(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is too large to be kept whole may hide findings, so it is no result."""
    monkeypatch.setattr(declared, "KEEP_BYTES", 10_000)
    result = bench.run(f"{HIT}; head -c 50000 /dev/zero | tr '\\0' 'x'; exit 1")
    assert "printed more than can be read" in problem(result)
    assert len(result.stdout) <= 16_000


def test_a_stop_is_no_problem(bench: Bench) -> None:
    """A run that the user stops is interrupted, with neither a result nor a problem."""
    timer = threading.Timer(0.3, bench.stop.ask)
    timer.start()
    result = bench.run("sleep 1000")
    timer.join()
    assert (result.success, result.interrupted, result.problem) == (False, True, None)


def test_a_tool_that_vanishes_is_a_problem(bench: Bench) -> None:
    """A tool that is uninstalled after it was found fails its batch."""
    facts = ToolFacts(executable=bench.machine.bin / "gone", version="1", identity="i")
    result = bench.plugin().check(["a.txt"], bench.place, bench.call(facts))
    assert "not installed" in problem(result)


REPORT: dict[str, Any] = {"tool": {"arguments": ["{report}"]}, "output": {"stream": "report"}}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('mkdir "$1"', "its report"),
        ('ln -s /etc/passwd "$1"', "its report"),
        ('head -c 20000 /dev/zero >"$1"', "larger than 9000"),
    ],
)
def test_an_odd_report_is_a_problem(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    """A folder, a link to elsewhere, or more than can be read in place of the report is no result."""
    monkeypatch.setattr(declared, "MAX_REPORT", 9000)
    assert said in problem(bench.run(script, **REPORT))


def test_a_full_disk_is_a_problem(bench: Bench) -> None:
    """A tool that cannot write its report whole, here for a limit on files, is no clean run."""
    result = bench.run('ulimit -f 1; exec head -c 200000 /dev/zero >"$1"', **REPORT)
    assert "SIGXFSZ" in problem(result)


def test_a_pipe_for_a_report_hangs_nobody(bench: Bench) -> None:
    """A FIFO in place of the report is read without waiting for a writer."""
    assert bench.run('mkfifo "$1"', **REPORT).returncode == 0


def test_without_a_scratch_folder_nothing_is_started(bench: Bench) -> None:
    """Where no folder can be made the batch has a problem, and the tool did not run."""
    bench.scratch.rmdir()
    assert "no folder for a run" in problem(bench.run("true"))
    assert bench.machine.times_asked("spell") == 0


# -- fixers --------------------------------------------------------------------------------------
FIXER: dict[str, Any] = {
    "kind": "fixer",
    "tool": {"arguments": ["--check"], "fix_arguments": ["--write"]},
}


def test_a_fixer_rewrites_or_tells(bench: Bench) -> None:
    """A fixer is called with the one or the other arguments, and need not say what it did."""
    (bench.tree / "a.txt").write_text("teh", encoding="utf-8")
    path = bench.machine.program("spell", '[ "$1" = --write ] && echo the >"$2" || exit 9')
    call = bench.call(ToolFacts(executable=path, version="1", identity="i"))
    plugin = bench.plugin(**FIXER)
    assert plugin.is_fixer
    assert "exit code 9" in problem(plugin.check(["a.txt"], bench.place, call))
    assert plugin.fix(["a.txt"], bench.place, call).success
    assert (bench.tree / "a.txt").read_text(encoding="utf-8") == "the\n"


def test_a_fixer_that_crashes_has_a_problem(bench: Bench) -> None:
    """A fixer that ends with an unknown code or a signal did not fix."""
    path = bench.machine.program("spell", "exit 123")
    call = bench.call(ToolFacts(executable=path, version="1", identity="i"))
    assert "123" in problem(bench.plugin(**FIXER).fix(["a.txt"], bench.place, call))


def test_a_checker_fixes_nothing(bench: Bench) -> None:
    """A plugin without arguments for fixing refuses to."""
    result = bench.plugin().fix(["a.txt"], bench.place, bench.call())
    assert problem(result) == "spell cannot fix anything"


# -- versions ------------------------------------------------------------------------------------
def test_a_version_command_that_hangs_is_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that does not tell its version in time is used all the same, and asked again."""
    assert toolfind.VERSION_LIMIT_S == 5.0
    monkeypatch.setattr(toolfind, "VERSION_LIMIT_S", 0.3)
    bench.machine.program("spell", "sleep 1000")
    began = time.monotonic()
    assert bench.find(bench.plugin()).version == ""
    assert time.monotonic() - began < 10
    assert bench.memory.given == {}


# -- one file in the current folder --------------------------------------------------------------
def test_the_documented_form_acts_on_the_current_folder(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """check_tool_available, build_command and execute do what they say for one file."""
    monkeypatch.chdir(bench.tree)
    path = bench.machine.program("spell", f'[ "$1" = --version ] && echo 1.0 || {HIT}')
    plugin = bench.plugin(tool={"arguments": ["-q"]})
    assert plugin.check_tool_available()
    assert plugin.build_command("sub/a.txt") == [str(path), "-q", "sub/a.txt"]
    result = plugin.execute(bench.tree / "a.txt")
    assert (result.plugin_id, result.success, result.returncode) == ("spell", True, 0)
    assert result.metadata["command"] == [str(path), "-q", "a.txt"]
    assert (result.metadata["version"], result.metadata["timed_out"]) == ("1.0", False)
    assert [found.severity for found in result.issues] == [Severity.WARNING]


def test_the_documented_form_without_its_tool(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the tool the command has its bare name, and executing is a problem."""
    monkeypatch.chdir(bench.tree)
    plugin = bench.plugin()
    assert not plugin.check_tool_available()
    assert plugin.build_command("a.txt") == ["spell", "a.txt"]
    assert problem(plugin.execute("a.txt")) == "spell is not installed"
    assert isinstance(plugin.find_tool(bench.place, bench.memory), Unavailable)

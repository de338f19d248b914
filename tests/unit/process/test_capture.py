"""The light way through the process door."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, ToolMissingError
from penstock.process.api import MARKER_VARIABLE
from penstock.process.capture import Completed, capture
from penstock.process.spawn import live_sessions, spawned

ENV = {"PATH": os.environ["PATH"]}


def python(code: str, cwd: Path, **options: object) -> Completed:
    """Run Python code through capture."""
    return capture([sys.executable, "-c", code], cwd, ENV, **options)  # type: ignore[arg-type]


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_both_streams_and_the_code_come_back(tmp_path: Path) -> None:
    """Each stream is returned whole and apart, with the exit code."""
    code = "import os; os.write(1, b'out\\xff'); os.write(2, b'err'); raise SystemExit(3)"
    assert python(code, tmp_path) == Completed(3, b"out\xff", b"err")


def test_stdin_is_given_as_it_is(tmp_path: Path) -> None:
    """The bytes for stdin arrive unchanged, however many."""
    data = os.urandom(300_000)
    assert capture(["cat"], tmp_path, ENV, stdin=data).stdout == data


def test_stdin_is_closed_without_bytes(tmp_path: Path) -> None:
    """A command that reads stdin gets the end of file at once."""
    assert capture(["cat"], tmp_path, ENV, timeout=20).stdout == b""


def test_only_the_given_environment_is_seen(tmp_path: Path) -> None:
    """The child sees the given environment and the marker, nothing of ours."""
    out = capture(["env"], tmp_path, {**ENV, "A": "1"}, marker="capture-1").stdout.decode()
    assert set(out.splitlines()) == {f"PATH={ENV['PATH']}", "A=1", f"{MARKER_VARIABLE}=capture-1"}


def test_a_child_has_its_own_session_and_folder(tmp_path: Path) -> None:
    """The child leads its session and runs in the given folder."""
    out = python("import os; print(os.getsid(0) == os.getpid(), os.getcwd())", tmp_path).stdout
    assert out.decode().split() == ["True", str(tmp_path.resolve())]


def test_the_timeout_kills_the_group(tmp_path: Path) -> None:
    """At the timeout the whole group is killed and the answer says so."""
    started = time.monotonic()
    done = capture(["sh", "-c", "echo a; sleep 60 & sleep 60"], tmp_path, ENV, timeout=0.3)
    assert (done.returncode, done.stdout, done.timed_out) == (-9, b"a\n", True)
    assert time.monotonic() - started < 10


def test_a_daemon_left_behind_holds_nobody_up(tmp_path: Path) -> None:
    """The end is the exit of the command, not the end of its output."""
    started = time.monotonic()
    done = capture(["sh", "-c", "sleep 3 & echo done"], tmp_path, ENV)
    assert (done.returncode, done.stdout) == (0, b"done\n")
    assert time.monotonic() - started < 2.5


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A missing executable and a missing folder are told apart."""
    with pytest.raises(ToolMissingError, match="no-such-tool is not installed"):
        capture(["no-such-tool"], tmp_path, ENV)
    with pytest.raises(EnvironmentProblem, match="there is no folder"):
        capture(["env"], tmp_path / "gone", ENV)


@pytest.mark.parametrize("argv", [["/"], ["env", "a\0b"], [], ["env", "x" * 3_000_000]])
def test_what_cannot_start_is_an_environment_problem(tmp_path: Path, argv: list[str]) -> None:
    """A folder, a NUL byte, an empty and an endless argument list raise EnvironmentProblem."""
    with pytest.raises(EnvironmentProblem, match="cannot start"):
        capture(argv, tmp_path, ENV)


def test_children_are_counted_and_reaped(tmp_path: Path) -> None:
    """Each child counts once, and none is left to be collected or open."""
    before, descriptors = spawned(), open_descriptors()
    for _ in range(3):
        capture(["true"], tmp_path, ENV)
    assert spawned() == before + 3
    assert live_sessions() == frozenset()
    assert open_descriptors() == descriptors

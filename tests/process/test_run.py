"""What the process door reports of children that behave, or cannot even be started."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.process.api import MARKER_VARIABLE, End, Outcome
from penstock.process.run import run
from penstock.process.spawn import live_sessions, spawned
from tests.support.children import command, python


def test_an_outcome_tells_all(tmp_path: Path) -> None:
    """Exit code, both streams, their sizes, times and the argument list are reported."""
    outcome = run(command("sh", "-c", "echo out; echo err >&2; exit 3", cwd=tmp_path))
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 3)
    assert (outcome.text, outcome.error_text) == ("out\n", "err\n")
    assert (outcome.stdout_bytes, outcome.stderr_bytes, outcome.swept) == (4, 4, 0)
    assert outcome.argv[0] == "sh"
    assert 0 < outcome.duration_s < 30
    assert outcome.error == ""


def test_the_child_leads_a_session_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    """The child has its own session, the given folder, exactly the given environment, a marker."""
    code = "import os; print(os.getsid(0) == os.getpid(), os.getcwd(), sorted(os.environ))"
    outcome = run(python(code, cwd=tmp_path, marker=f"run-{os.getpid()}"))
    names = sorted(["PATH", MARKER_VARIABLE, *_added_by_python()])
    assert outcome.text.split(maxsplit=2) == ["True", str(tmp_path.resolve()), f"{names}\n"]


def _added_by_python() -> list[str]:
    # Python sets LC_CTYPE itself where the locale is C
    return ["LC_CTYPE"]


def test_stdin_is_closed_or_a_file(tmp_path: Path) -> None:
    """Without a file stdin is at its end, with one it is that file."""
    (tmp_path / "in").write_bytes(b"from a file\xff")
    assert run(command("cat", cwd=tmp_path)).stdout == b""
    assert run(command("cat", cwd=tmp_path, stdin=tmp_path / "in")).stdout == b"from a file\xff"


@pytest.mark.parametrize("number", [1, 2, 6, 9, 11, 15])
def test_a_signal_is_a_negative_exit_code(tmp_path: Path, number: int) -> None:
    """A child that a signal ends is reported with that signal."""
    outcome = run(command("sh", "-c", f"kill -{number} $$", cwd=tmp_path))
    assert (outcome.end, outcome.exit_code) == (End.SIGNALED, -number)


def test_rubbish_bytes_are_kept_and_decoded_safely(tmp_path: Path) -> None:
    """Output that is no text is kept as it is and can still be read as text."""
    outcome = run(python("import os; os.write(1, bytes(range(256)))", cwd=tmp_path))
    assert outcome.stdout == bytes(range(256))
    assert "\ufffd" in outcome.text


def test_only_the_last_bytes_are_kept(tmp_path: Path) -> None:
    """Of a long output the last `keep_bytes` are kept and all of it is counted."""
    outcome = run(command("seq", "100000", cwd=tmp_path, keep_bytes=10))
    assert outcome.stdout == b"99\n100000\n"
    assert outcome.stdout_bytes == 588_895
    assert run(command("seq", "9", cwd=tmp_path, keep_bytes=0)).stdout == b""


def _executable(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_missing_executable_is_not_found(tmp_path: Path) -> None:
    """A name that is not on PATH gives NOT_FOUND and says so."""
    outcome = run(command("no-such-tool", "x", cwd=tmp_path))
    assert (outcome.end, outcome.exit_code) == (End.NOT_FOUND, None)
    assert outcome.error == "no-such-tool is not installed"


def test_a_missing_interpreter_is_not_found(tmp_path: Path) -> None:
    """A script whose interpreter is missing gives NOT_FOUND and names the reason."""
    outcome = run(command(_executable(tmp_path / "t", "#!/no/such\n"), cwd=tmp_path))
    assert outcome.end is End.NOT_FOUND
    assert "interpreter" in outcome.error


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("/",), "Permission denied"),
        (("/etc/passwd",), "Permission denied"),
        (("/etc/passwd/x",), "Not a directory"),
        (("env", "x" * 3_000_000), "Argument list too long"),
        (("env", "a\0b"), "null byte"),
        ((), "empty argument list"),
    ],
    ids=["folder", "no run bit", "file as folder", "huge", "NUL", "empty"],
)
def test_what_cannot_start_is_reported(tmp_path: Path, argv: tuple[str, ...], words: str) -> None:
    """A folder, a file that may not be run and impossible arguments give NOT_STARTED."""
    outcome = run(command(*argv, cwd=tmp_path))
    assert (outcome.end, outcome.exit_code) == (End.NOT_STARTED, None)
    assert words in outcome.error


def test_rubbish_as_a_program_is_reported(tmp_path: Path) -> None:
    """An executable file that is no program gives NOT_STARTED."""
    outcome = run(command(_executable(tmp_path / "t", "\0\1\2"), cwd=tmp_path))
    assert outcome.end is End.NOT_STARTED
    assert "Exec format error" in outcome.error


def test_a_missing_folder_and_input_are_named(tmp_path: Path) -> None:
    """NOT_STARTED tells a missing folder from a missing input file."""
    no_folder = run(command("env", cwd=tmp_path / "gone"))
    assert (no_folder.end, "no folder" in no_folder.error) == (End.NOT_STARTED, True)
    no_input = run(command("env", cwd=tmp_path, stdin=tmp_path / "in"))
    assert (no_input.end, "input" in no_input.error) == (End.NOT_STARTED, True)


def test_no_descriptors_left_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without descriptors for the pipes a command is NOT_STARTED, and none is lost."""

    def no_pipe() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe", no_pipe)
    outcome = run(command("env", cwd=tmp_path))
    assert (outcome.end, "Too many open files" in outcome.error) == (End.NOT_STARTED, True)


def test_nothing_is_left_open_or_uncollected(tmp_path: Path) -> None:
    """Neither descriptors nor zombies stay behind, whatever became of the commands."""
    before, count = len(list(Path("/proc/self/fd").iterdir())), spawned()
    for argv in (("true",), ("no-such-tool",), ("/",), ("sh", "-c", "sleep 9 & kill -9 $$")):
        run(command(*argv, cwd=tmp_path, log=tmp_path / "log"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert spawned() == count + 2
    assert live_sessions() == frozenset()


def test_the_log_gets_both_streams_and_is_private(tmp_path: Path) -> None:
    """A log is appended to, readable by its owner alone, and so are the folders made for it."""
    log = tmp_path / "logs" / "run" / "a.log"
    for word in ("one", "two"):
        run(command("sh", "-c", f"echo {word}; echo err >&2", cwd=tmp_path, log=log))
    assert sorted(log.read_text().split()) == ["err", "err", "one", "two"]
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (log, log.parent, log.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


class Upper:
    """A filter that writes in capitals and holds back the last byte."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        """Give all but the last byte."""
        data = self.held + data
        self.held = data[-1:]
        return data[:-1].upper()

    def flush(self) -> bytes:
        """Give the last byte."""
        return self.held.upper()


def test_each_stream_goes_through_a_filter_of_its_own(tmp_path: Path) -> None:
    """The log has what the filters let through, the outcome has what came."""
    log = tmp_path / "log"
    code = "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n')"
    outcome = run(python(code, cwd=tmp_path, log=log, make_filter=Upper))
    assert log.read_bytes() in (b"OUTERR\n\n", b"ERROUT\n\n")
    assert (outcome.stdout, outcome.stderr) == (b"out\n", b"err\n")


def test_a_listener_hears_what_the_log_gets(tmp_path: Path) -> None:
    """`on_log` hears the filtered output, with a log and without one."""
    for log in (tmp_path / "log", None):
        heard: list[bytes] = []
        run(command("echo", "x", cwd=tmp_path, log=log, make_filter=Upper, on_log=heard.append))
        assert b"".join(heard) == b"X\n"


def test_a_hundred_children_at_once(tmp_path: Path) -> None:
    """A hundred children at once all end well, each with its own output."""
    barrier = threading.Barrier(100)

    def one(number: int) -> Outcome:
        barrier.wait(60)
        return run(command("sh", "-c", f"sleep 0.5; echo {number}", cwd=tmp_path))

    with ThreadPoolExecutor(100) as pool:
        outcomes = list(pool.map(one, range(100)))
    assert [o.text for o in outcomes] == [f"{n}\n" for n in range(100)]
    assert {o.end for o in outcomes} == {End.EXITED}
    assert sum(o.swept for o in outcomes) == 0

"""The light way through the door: a short, trusted command such as git, read whole."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import EnvironmentProblem, ToolMissingError
from penstock.process import spawn
from penstock.process.exits import wait_for_end


@dataclass(frozen=True, slots=True)
class Completed:
    """What a short command answered. `returncode` is negative for a signal."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


def capture(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    timeout: float | None = None,
    stdin: bytes | None = None,
    marker: str | None = None,
) -> Completed:
    """Run a short command to its end and return its exit code and both streams whole.

    `env` is the whole environment, plus `marker`; `stdin` None is /dev/null. After `timeout` (s)
    its process group is killed and `timed_out` is set. The end is judged by the exit of the
    command alone, so a daemon that it leaves behind holds nobody up; nothing is swept. Output
    goes through memory files, so no reading loop is needed and no pipe can fill up.

    Raises ToolMissingError when the executable is not there and EnvironmentProblem when it cannot
    be started for another reason.
    """
    with ExitStack() as stack:
        source = subprocess.DEVNULL if stdin is None else _memory_file(stack, stdin)
        out, err = _memory_file(stack), _memory_file(stack)
        child = _start(argv, cwd, env, marker, (source, out, err))
        timed_out, code = _await(child, timeout)
        return Completed(code, _contents(out), _contents(err), timed_out)


def _memory_file(stack: ExitStack, content: bytes = b"") -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("penstock")
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            descriptor = os.dup(file.fileno())
    stack.callback(os.close, descriptor)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if content:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _contents(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if not size:
        return b""
    pieces: list[bytes] = []
    have = 0
    while have < size and (piece := os.pread(descriptor, size - have, have)):
        pieces.append(piece)
        have += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _start(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    marker: str | None,
    streams: tuple[int, int, int],
) -> subprocess.Popen[bytes]:
    stdin, stdout, stderr = streams
    try:
        return spawn.start(
            argv, cwd=cwd, env=env, marker=marker, stdin=stdin, stdout=stdout, stderr=stderr
        )
    except FileNotFoundError as error:
        if cwd.is_dir():
            raise ToolMissingError(f"{argv[0]} is not installed") from error
        raise EnvironmentProblem(f"there is no folder {cwd} to run {argv[0]} in") from error
    except (OSError, ValueError) as error:
        name = argv[0] if argv else "nothing"
        raise EnvironmentProblem(f"cannot start {name}: {error}") from error


def _await(child: subprocess.Popen[bytes], timeout: float | None) -> tuple[bool, int]:
    timed_out = True
    try:
        timed_out = not wait_for_end(child.pid, timeout)
    finally:
        if timed_out:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        code = spawn.reap(child)
    return timed_out, -1 if code is None else code

"""The process door: start a command, watch it, and leave nothing of it behind."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from penstock.process import spawn
from penstock.process.api import Command, End, Outcome, Stop
from penstock.process.output import Log, Stream
from penstock.process.watch import Watch


def run(command: Command, stop: Stop | None = None) -> Outcome:
    """Run a command to its end and return what became of it.

    The child leads a session of its own. It is judged by its exit and not by the end of its
    output. A limit, a callback or `stop` ends it by degrees: TERM (and CONT, for a stopped child
    sees nothing else), `grace_s`, then KILL for its group; a second ask of `stop` kills at once.
    After every end, a normal one too, all that it left behind is swept away.

    The log gets what the filters let through; `stdout` and `stderr` of the outcome are raw.
    Nothing that the child does raises; what a callback or a filter raises is passed on when the
    child is ended.
    """
    began_at, began = time.time(), time.monotonic()
    if stop is not None and stop.asked:
        reason = "a stop was asked for before it was started"
        return _never_started(command, began_at, End.INTERRUPTED, reason)
    log = Log(command.log, command.on_log)
    with ExitStack() as stack:
        stack.callback(log.close)
        try:
            child, streams = _start(command, log, stack)
        except (OSError, ValueError) as error:
            end, reason = _why_not_started(command, error)
            return _never_started(command, began_at, end, _joined(reason, log.error))
        watch = Watch(command, stop, child, streams)
        watch.run()
    return Outcome(
        argv=command.argv,
        end=watch.end,
        exit_code=watch.exit_code,
        started_at=began_at,
        duration_s=watch.ended_at - began,
        stdout=streams[0].tail.value(),
        stderr=streams[1].tail.value(),
        stdout_bytes=streams[0].tail.total,
        stderr_bytes=streams[1].tail.total,
        swept=watch.swept,
        error=_joined(watch.error, log.error),
    )


def _start(
    command: Command, log: Log, stack: ExitStack
) -> tuple[subprocess.Popen[bytes], tuple[Stream, Stream]]:
    streams = (
        _stream(command, log, stack, is_stdout=True),
        _stream(command, log, stack, is_stdout=False),
    )
    child = spawn.start(
        command.argv,
        cwd=command.cwd,
        env=command.env,
        marker=command.marker,
        stdin=_stdin(command.stdin, stack),
        stdout=streams[0].write_end,
        stderr=streams[1].write_end,
    )
    for stream in streams:
        stream.close_write_end()
    return child, streams


def _stream(command: Command, log: Log, stack: ExitStack, *, is_stdout: bool) -> Stream:
    callback = command.on_stdout if is_stdout else command.on_stderr
    stream = Stream(log, command.keep_bytes, command.make_filter, callback)
    stack.callback(stream.close)
    return stream


def _stdin(path: Path | None, stack: ExitStack) -> int:
    if path is None:
        return subprocess.DEVNULL
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    return descriptor


def _why_not_started(command: Command, error: OSError | ValueError) -> tuple[End, str]:
    if not isinstance(error, OSError):
        return End.NOT_STARTED, f"it cannot be started: {error}"
    name = command.argv[0]
    if command.stdin is not None and str(error.filename) == str(command.stdin):
        return End.NOT_STARTED, f"its input {command.stdin} cannot be read: {error.strerror}"
    if not command.cwd.is_dir():
        return End.NOT_STARTED, f"there is no folder {command.cwd} to run {name} in"
    if error.errno != errno.ENOENT:
        return End.NOT_STARTED, f"{name} cannot be started: {error.strerror}"
    if os.sep in name and Path(command.cwd, name).exists():
        return End.NOT_FOUND, f"the interpreter that {name} names in its first line is missing"
    return End.NOT_FOUND, f"{name} is not installed"


def _never_started(command: Command, began_at: float, end: End, error: str) -> Outcome:
    return Outcome(
        argv=command.argv,
        end=end,
        exit_code=None,
        started_at=began_at,
        duration_s=max(0.0, time.time() - began_at),
        error=error,
    )


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)

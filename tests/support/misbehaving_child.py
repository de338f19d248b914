"""A child process that misbehaves in the way named by its first argument. Start it as a script."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time

LONG = 300.0


def say(text: str) -> None:
    """Write to stdout at once."""
    os.write(1, text.encode())


def ignore_term() -> None:
    """Ignore the polite request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("ready\n")
    time.sleep(LONG)


def stop_itself() -> None:
    """Stop, so that no signal but KILL and CONT is seen; on TERM end with 7."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    say("ready\n")
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(LONG)


def end_on_term() -> None:
    """Say goodbye on TERM and end with 5."""

    def end(*_: object) -> None:
        say("goodbye\n")
        os._exit(5)

    signal.signal(signal.SIGTERM, end)
    say("ready\n")
    time.sleep(LONG)


def close_output(seconds: str) -> None:
    """Close both output streams, live on, end with 6."""
    os.close(1)
    os.close(2)
    time.sleep(float(seconds))
    os._exit(6)


def silent() -> None:
    """Print nothing and never end."""
    time.sleep(LONG)


def chatty(pause: str, count: str) -> None:
    """Print a line every so often."""
    for _ in range(int(count)):
        say(".\n")
        time.sleep(float(pause))


def leave(kept: str, pid_file: str) -> None:
    """Leave a stray process that has shed all marks but one, tell its number, end with 0.

    `kept` is marker, session, pipe, cwd, or none.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        become_stray(kept)
    os.close(writing)
    os.read(reading, 1)  # the end of file comes when the stray has executed its program
    with open(pid_file, "w", encoding="ascii") as file:  # noqa: PTH123 - a bare script
        file.write(str(pid))


def become_stray(kept: str) -> None:
    """Shed all marks but one and become `sleep`."""
    if kept != "session":
        os.setsid()
    if kept != "cwd":
        os.chdir("/")
    if kept != "pipe":
        nowhere = os.open("/dev/null", os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    marks = ("PENSTOCK_ATTEMPT",) if kept == "marker" else ()
    env = {name: os.environ[name] for name in marks}
    os.execve("/bin/sleep", ["sleep", str(LONG)], env)  # noqa: S606


def at_terminal() -> None:
    """Start `sleep` at a terminal of its own, as a terminal emulator starts a shell."""
    pty.spawn(["sleep", str(LONG)])


def fork_on(generations: str) -> None:
    """Fork a chain of processes, each in a session of its own, while being hunted."""
    for _ in range(int(generations)):
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.002)
    time.sleep(LONG)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])

"""A temporary folder of the test's own for Isolation, and processes that hold blocks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from penstock.environment import isolation
isolation.OTHERS = ()
root, *names = sys.argv[1:]
own = isolation.Isolation(Path(root), Path(root, "state"))
for name in names:
    taken = own.take("run-1", name)
    print(taken["PENSTOCK_PORT_BASE"], taken["TMPDIR"], flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(root: Path, place: Path, *names: str) -> Iterator[dict[str, tuple[int, Path]]]:
    """Let another process hold blocks for workstreams of `root`; it is killed at the end.

    Gives the first port and the temporary folder by workstream.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root), *names],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdout is not None
            lines = [child.stdout.readline().split() for _ in names]
            yield {
                name: (int(port), Path(folder))
                for name, (port, folder) in zip(names, lines, strict=True)
            }
        finally:
            child.kill()


@contextmanager
def listening(port: int, host: str = "127.0.0.1") -> Iterator[int]:
    """Listen on a port (0: any that is free), and give its number."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((host, port))
        server.listen()
        yield server.getsockname()[1]


def has_ipv6() -> bool:
    """Tell whether this machine has the loopback address of IPv6."""
    try:
        with listening(0, "::1"):
            return True
    except OSError:
        return False

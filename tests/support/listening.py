"""A proxy that serves nobody and counts who comes: what phones home comes here."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.checkers import find_checker, use_checkers

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass
class Calls:
    """The first bytes of each connection."""

    address: str
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def proxy() -> Iterator[Calls]:
    """Listen on a port of its own, refuse everything and remember it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        calls = Calls(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(server, calls))
        thread.start()
        try:
            yield calls
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes accept
            thread.join()


def _serve(server: socket.socket, calls: Calls) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return  # shut down
        with connection:
            connection.settimeout(5)
            calls.heard.append(connection.recv(200))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def behind(patch: pytest.MonkeyPatch, folder: Path, command: str, calls: Calls) -> Path:
    """Put a checker on PATH whose every way out is the proxy; return its command."""
    use_checkers(patch, command)
    folder.mkdir(exist_ok=True)
    ways = " ".join(f"{name}={calls.address}" for name in _PROXIES)
    wrapper = folder / command
    real = find_checker(command)
    wrapper.write_text(f'#!/bin/sh\nexec env NO_PROXY= no_proxy= {ways} "{real}" "$@"\n')
    wrapper.chmod(0o755)
    patch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    return wrapper

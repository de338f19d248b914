"""Python functions that adapters call in a child."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from penstock.model.execution import ExecutionRequest


def answer(request: ExecutionRequest) -> dict[str, object]:
    """Return something of the request, and print."""
    print(f"asked for {request.task_kind}")
    return {"prompt": request.prompt, "here": str(Path.cwd()), "pid": os.getpid()}


def fail(request: ExecutionRequest) -> None:
    """Raise."""
    raise RuntimeError(f"cannot {request.task_kind}")


def hang(_: ExecutionRequest) -> None:
    """Never come back."""
    while True:
        time.sleep(3600)


def odd(_: ExecutionRequest) -> object:
    """Return what is not JSON."""
    return object()


def leave(_: ExecutionRequest) -> None:
    """End the process at once."""
    os._exit(7)


def made() -> Callable[[ExecutionRequest], object]:
    """Return a function that no other process can import."""

    def inner(_: ExecutionRequest) -> object:
        return None

    return inner

"""Locks between processes: held by the kernel, waited for within bounds, signed or not."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from penstock.errors import ClaimError, EnvironmentProblem
from penstock.locks import GRACE_S, exclusive, try_lock


def test_the_holder_signs(tmp_path: Path) -> None:
    """The file tells people which process holds it, and nobody else may read it."""
    path = tmp_path / "deep" / "lock"
    with exclusive(path, busy="busy"):
        assert path.read_text() == f"{os.getpid()}\n"
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_without_a_signature_writes_nothing(tmp_path: Path) -> None:
    """What is taken often need not trouble the disk."""
    with exclusive(tmp_path / "lock", busy="busy", sign=False):
        assert (tmp_path / "lock").read_text() == ""


def test_a_held_lock_is_refused_at_once(tmp_path: Path) -> None:
    """Without patience the second one is told so, with what to do."""
    path = tmp_path / "lock"
    with (
        exclusive(path, busy="busy"),
        pytest.raises(ClaimError, match="held by me") as caught,
        exclusive(path, busy="held by me", hint="wait"),
    ):
        pass
    assert caught.value.hint == "wait"


def test_patience_is_rewarded(tmp_path: Path) -> None:
    """With patience the second one gets it when the first lets go."""
    path, took, let_go = tmp_path / "lock", threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(path, busy="busy"):
            took.set()
            let_go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert took.wait(20)
    threading.Timer(0.1, let_go.set).start()
    with exclusive(path, busy="busy", patience_s=20):
        assert let_go.is_set()
    holder.join()


def test_patience_ends(tmp_path: Path) -> None:
    """It is not for ever."""
    began = time.monotonic()
    with (
        exclusive(tmp_path / "lock", busy="busy"),
        pytest.raises(ClaimError),
        exclusive(tmp_path / "lock", busy="busy", patience_s=0.1),
    ):
        pass
    assert 0.1 <= time.monotonic() - began < 10


def test_what_a_killed_holder_was_starting_is_waited_for(tmp_path: Path) -> None:
    """A child that has its parent's lock for a moment longer does not make the next one fail."""
    path = tmp_path / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    assert try_lock(descriptor)
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    os.close(descriptor)
    with pytest.raises(ClaimError), exclusive(path, busy="busy"):
        pass
    assert child.stdin is not None
    threading.Timer(0.1, child.stdin.close).start()
    with exclusive(path, busy="busy", patience_s=GRACE_S):
        assert child.wait(20) == 0


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the file and why."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(EnvironmentProblem, match="cannot make the lock"),
        exclusive(tmp_path / "file" / "lock", busy="busy"),
    ):
        pass

"""The limit on open files: raised where it may be, refused clearly where it may not."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from penstock.errors import EnvironmentProblem
from penstock.process.descriptors import (
    FILE_LIMIT,
    MARGIN,
    PER_WORKSTREAM,
    descriptors_for,
    ensure_descriptors,
    raise_file_limit,
)

UNDER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from penstock.errors import EnvironmentProblem
from penstock.process.descriptors import ensure_descriptors
try:
    ensure_descriptors({needed})
except EnvironmentProblem as error:
    print(error, "|", error.hint)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def under(*, soft: int, hard: int, needed: int) -> list[str]:
    """Return what a process with these limits says when it needs so many descriptors."""
    code = UNDER.format(soft=soft, hard=hard, needed=needed)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_each_workstream_needs_some() -> None:
    """The need grows with the number of workstreams, from a margin on."""
    assert descriptors_for(200) - descriptors_for(0) == 200 * PER_WORKSTREAM
    assert descriptors_for(0) == MARGIN


def test_the_soft_limit_is_raised() -> None:
    """What the hard limit allows is had."""
    assert under(soft=64, hard=512, needed=400) == ["512"]


def test_the_hard_limit_is_told() -> None:
    """What it does not allow is refused, with what is there, what is needed, and what to do."""
    said, limit = under(soft=64, hard=128, needed=400)
    assert said.startswith("this process may have 128 files open at once, and 4")
    assert "ulimit -n 4" in said
    assert "limits.max_parallel" in said
    assert limit == "128"


def test_what_is_open_already_counts() -> None:
    """The need is for more files, beside those that are open."""
    assert len(under(soft=128, hard=128, needed=127)) == 2


def test_no_limit_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit any need is met."""
    endless = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (endless, endless))
    assert raise_file_limit() is None
    ensure_descriptors(10**9)


def test_a_system_that_does_not_keep_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the limit cannot be raised as far as it is named, the old one holds."""

    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError(which, limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _which: (100, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_file_limit() == 100
    with pytest.raises(EnvironmentProblem, match="may have 100 files open"):
        ensure_descriptors(FILE_LIMIT)


def test_on_windows_there_is_no_such_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to be raised or refused."""
    monkeypatch.setattr(sys, "platform", "win32")
    ensure_descriptors(10**9)


def test_where_open_files_cannot_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """They count as none, and the limit alone decides."""

    def fail(folder: str) -> list[str]:
        raise FileNotFoundError(folder)

    monkeypatch.setattr("os.listdir", fail)
    ensure_descriptors(1)

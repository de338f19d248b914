"""How far what runs here can be contained, read from what the kernel says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.environment.api import Verdict
from penstock.environment.health import containment
from penstock.environment.health.probing import Probe, run_probes
from penstock.process import proc

KERNEL = {"_CLONE": "1", "_NAMESPACES": "63000", "_LSM": "lockdown,landlock,yama"}


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file for each question that the kernel is asked; none is there yet."""
    for name in (*KERNEL, "_CGROUPS", "_OWN_GROUP"):
        monkeypatch.setattr(containment, name, tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_kernel_that_can_lock_in(kernel: Path) -> None:
    """What a sandbox could use is told."""
    for name, text in KERNEL.items():
        (kernel / name).write_text(f"{text}\n")
    bubblewrap = kernel / "bwrap"
    bubblewrap.write_text("#!/bin/sh\n")
    bubblewrap.chmod(0o755)
    found = containment.sandbox()
    assert found.status is Verdict.PASS
    assert found.message.endswith("a sandbox could use user namespaces, bubblewrap, landlock")


def test_a_kernel_that_says_nothing(kernel: Path) -> None:
    """That is no warning: penstock itself needs none of it."""
    found = containment.sandbox()
    assert found.status is Verdict.PASS
    assert found.message.endswith("nothing here could lock it in")
    assert str(kernel) not in found.message


@pytest.mark.parametrize(("clone", "most"), [("0", "63000"), ("1", "0"), ("1", "")])
def test_user_namespaces_that_are_forbidden(kernel: Path, clone: str, most: str) -> None:
    """Either setting of the kernel can forbid them."""
    (kernel / "_CLONE").write_text(clone)
    (kernel / "_NAMESPACES").write_text(most)
    assert containment.sandbox().details["user_namespaces"] is False


@pytest.mark.parametrize(
    ("own", "writable"),
    [("0::/mine\n", True), ("0::/gone\n", False), ("4:cpu:/mine\n", False), ("", False)],
)
def test_a_group_of_our_own(kernel: Path, own: str, writable: bool) -> None:
    """Only a group of version 2 that we may write to counts."""
    (kernel / "_CGROUPS").write_text("cpu memory\n")
    (kernel / "_OWN_GROUP").write_text(own)
    (kernel / "mine").mkdir()
    assert containment.sandbox().details["writable_cgroup"] is writable


def test_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that leave their group are then found late: a warning."""
    monkeypatch.setattr(proc, "available", lambda: False)
    found = containment.sandbox()
    assert (found.status, found.hint) == (Verdict.WARN, "mount /proc")


def test_a_system_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows no workstream can be run, and the check says so."""
    monkeypatch.setattr(sys, "platform", "win32")
    (check,) = run_probes([Probe("sandbox", containment.sandbox)]).checks
    assert check.status is Verdict.FAIL
    assert "not supported on Windows" in check.message

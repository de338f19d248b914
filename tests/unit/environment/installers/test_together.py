"""Many changes as one: all of them, or what was there before."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.environment.api import Manager, SyncReport
from penstock.environment.installers.planning import single_change
from penstock.environment.installers.port import Change
from penstock.environment.installers.record import Before, Record
from penstock.environment.installers.together import Together
from penstock.process.api import Stop
from tests.support.shell_manager import ShellManager

NPM, UV = Manager.NPM, Manager.UV


class Bench:
    """Two managers in a folder, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.npm = ShellManager(NPM, folder / "npm")
        self.uv = ShellManager(UV, folder / "uv")
        self.record = Record(folder)
        self.said: list[str] = []
        self.stop = Stop()

    def together(self, limit_s: float = 60.0) -> Together:
        """Return what makes changes with both."""
        return Together(
            {NPM: self.npm, UV: self.uv},
            self.record,
            environment=dict(os.environ),
            say=self.said.append,
            stop=self.stop,
            limit_s=limit_s,
        )

    def make(self, *changes: Change, limit_s: float = 60.0, rollback: bool = True) -> SyncReport:
        """Make changes."""
        return self.together(limit_s).make(changes, rollback=rollback)

    @property
    def state(self) -> dict[str, dict[str, str]]:
        """What is installed."""
        return {"npm": self.npm.versions, "uv": self.uv.versions}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two empty managers."""
    return Bench(tmp_path)


def change(name: str, version: str = "1.0.0", manager: Manager = NPM) -> Change:
    """Return a change."""
    return single_change(manager, name, version)


def test_all_changes_are_made(bench: Bench) -> None:
    """Each with what it was and is, in the order that they were given for each manager."""
    bench.npm.put(b="0.1.0")
    report = bench.make(change("a"), change("b"), change("c", manager=UV))
    assert report.ok
    assert [(r.tool, r.action, r.message) for r in report.results] == [
        ("a", "install", "installed 1.0.0"),
        ("b", "upgrade", "0.1.0 -> 1.0.0"),
        ("c", "install", "installed 1.0.0"),
    ]
    assert len(report.planned) == len(bench.said) == 3
    assert bench.record.left() == {}


def test_nothing_is_begun_after_a_failure(bench: Bench) -> None:
    """What comes behind it is not tried, what came before it is taken back."""
    report = bench.make(change("a"), change("fail-b"), change("c"))
    assert [r.message for r in report.results[1:]] == [
        "exit code 4: no such package: fail-b",
        "not begun",
    ]
    assert [(r.tool, r.message) for r in report.rolled_back] == [("a", "removed again")]
    assert bench.state == {"npm": {}, "uv": {}}


def test_a_change_that_failed_halfway_is_taken_back_too(bench: Bench) -> None:
    """Its manager says that it failed, and has changed the package all the same."""
    bench.npm.put(**{"half-a": "0.1.0"})
    report = bench.make(change("half-a"))
    assert report.results[0].version == "1.0.0"
    assert bench.state["npm"] == {"half-a": "0.1.0"}
    assert report.rolled_back[0].success  # what counts is what is there, not the exit code


def test_without_rollback_what_could_be_done_stays(bench: Bench) -> None:
    """And the rest is tried."""
    report = bench.make(change("a"), change("fail-b"), change("c"), rollback=False)
    assert not report.ok
    assert bench.state["npm"] == {"a": "1.0.0", "c": "1.0.0"}
    assert (report.rolled_back, bench.record.left()) == ((), {})


def test_a_command_that_never_ends_is_ended(bench: Bench) -> None:
    """After its time; what it had changed is taken back, which may take its time as well."""
    begun = time.monotonic()
    report = bench.make(change("a"), change("hang-b"), limit_s=0.3)
    assert time.monotonic() - begun < 30
    assert report.results[1].message.startswith("it took too long")
    assert bench.state["npm"] == {}


def test_managers_work_at_the_same_time(bench: Bench) -> None:
    """One that hangs does not keep the other from working, and both are taken back."""
    together = bench.together(limit_s=1.0)
    changes = [change("hang-a"), change("b", manager=UV), change("c", manager=UV)]
    done: list[SyncReport] = []
    thread = threading.Thread(target=lambda: done.append(together.make(changes)))
    thread.start()
    while "c" not in bench.uv.versions and thread.is_alive():
        time.sleep(0.005)
    assert thread.is_alive()
    thread.join()
    assert not done[0].ok
    assert bench.state == {"npm": {}, "uv": {}}


def test_a_stop_before_the_beginning_changes_nothing(bench: Bench) -> None:
    """Nothing is begun, and nothing must be put back."""
    bench.stop.ask()
    report = bench.make(change("a"))
    assert (report.interrupted, report.ok) == (True, False)
    assert report.results[0].message == "not begun"
    assert (report.rolled_back, bench.said) == ((), [])


def test_what_cannot_be_put_back_keeps_the_record(bench: Bench) -> None:
    """A later attempt knows what to do, and does it when the manager is well again."""
    bench.npm.put(**{"fail-a": "0.1.0"})
    before: Before = {NPM: {"fail-a": "0.2.0"}}
    bench.record.begin(before)
    results, notes = bench.together().put_back(before)
    assert not results[0].success
    assert "fail-a is 0.1.0 (exit code 4" in results[0].message
    assert notes[0].startswith("fail-a is not as it was; put it back with: /bin/sh")
    assert bench.record.left() == before


def test_what_an_earlier_process_left_is_part_of_it(bench: Bench) -> None:
    """Its beginning is the one that is gone back to; its end is the end of both."""
    bench.npm.put(a="0.5.0")
    bench.record.begin({NPM: {"a": "0.1.0"}, UV: {"z": None}})
    bench.uv.put(z="3")
    assert not bench.make(change("a"), change("fail-b")).ok
    assert bench.state == {"npm": {"a": "0.1.0"}, "uv": {}}
    assert bench.record.left() == {}


NAMES = st.sampled_from(["a", "b", "c", "fail-d", "half-e"])
VERSIONS = st.sampled_from(["1.0.0", "2.0.0", "3.0.0"])
PACKAGES = st.dictionaries(NAMES, VERSIONS, max_size=4)


@settings(max_examples=40, deadline=None)
@given(PACKAGES, PACKAGES, PACKAGES, PACKAGES)
def test_it_is_all_or_nothing(
    npm: dict[str, str], uv: dict[str, str], npm_wanted: dict[str, str], uv_wanted: dict[str, str]
) -> None:
    """Whatever was there and whatever is wished: either every wish is met, or nothing has changed."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.npm.put(**npm)
        bench.uv.put(**uv)
        before = bench.state
        changes = [change(name, version) for name, version in npm_wanted.items()]
        changes += [change(name, version, UV) for name, version in uv_wanted.items()]
        report = bench.make(*changes)
        expected = {"npm": {**npm, **npm_wanted}, "uv": {**uv, **uv_wanted}}
        assert bench.state == (expected if report.ok else before)
        doomed = any(name.startswith(("fail", "half")) for name in {**npm_wanted, **uv_wanted})
        assert report.ok is not doomed
        assert bench.record.left() == {}

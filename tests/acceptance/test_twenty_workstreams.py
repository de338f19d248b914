"""Twenty workstreams on a repository of real size: conflicts, a red merge, and all green at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.big_repo import PROBES, make_big_repo
from tests.support.cli import PENSTOCK, plain_environment
from tests.support.repos import git, state_of

RUN = "run-20"
PAIRS = (("ws-a-a1", "ws-a-a2"), ("ws-b-b1", "ws-b-b2"), ("ws-c-c1", "ws-c-c2"))
RED = ("ws-d-rename", "ws-d-caller")
AFTER = {
    "ws-usage": "ws-percent",
    "ws-board": "ws-usage",
    "ws-doors": "ws-clock",
    "ws-timesheet": "ws-clock",
    "ws-desk": "ws-timesheet",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


class Landed:
    """The repository after the run, and what the command and the journal say about it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.before = state_of(root)
        run = ("run", "--all", "--max-parallel", "4", "--run-id", RUN, "--json")
        self.said = self.ask(*run)
        self.after = state_of(root)

    def ask(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a penstock command."""
        return subprocess.run(
            [*PENSTOCK, *args],
            cwd=self.root,
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
        )

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the events of some types, oldest first."""
        found: list[dict[str, Any]] = json.loads(self.ask("events", RUN, "--json").stdout)["events"]
        return [event for event in found if event["event_type"] in kinds]

    def steps(self, ws_id: str) -> list[str]:
        """Return which attempts a workstream had: the step, for FIX turns what they mended."""
        (found,) = json.loads(self.ask("show", RUN, ws_id, "--json").stdout)["workstreams"]
        return [
            f"fix {step['details']['for_step']}"
            if step["step_name"] == "fix"
            else step["step_name"]
            for step in found["result"]["steps"]
        ]

    def moments(self, kind: str, ids: Iterable[str]) -> list[int]:
        """Return the numbers of the first event of a type for each workstream."""
        events = self.events(kind)
        return [next(e["id"] for e in events if e["ws_id"] == ws_id) for ws_id in ids]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    """The repository after its run."""
    return Landed(make_big_repo(tmp_path_factory.mktemp("twenty") / "meridian"))


@pytest.fixture(scope="module")
def checkout(landed: Landed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The integration branch, checked out in a clone of its own."""
    place = tmp_path_factory.mktemp("clone") / "meridian"
    git(landed.root, "clone", "-q", "--branch", f"integration/{RUN}", ".", str(place))
    return place


def test_all_are_done_and_merged(landed: Landed) -> None:
    """The command ends well, with each of the twenty done, and merged."""
    assert landed.said.returncode == 0, landed.said.stderr[-4000:]
    ends = {w["ws_id"]: w["final_status"] for w in json.loads(landed.said.stdout)["workstreams"]}
    assert ends == dict.fromkeys(PROBES, "done")
    rows = json.loads(landed.ask("status", RUN, "--json").stdout)["workstreams"]
    assert {row["integration"] for row in rows} == {"merged"}


def test_the_whole_suite_is_green(checkout: Path) -> None:
    """Every test of the merged tree passes, and its linter finds nothing."""
    suite = [sys.executable, "-B", "-m", "pytest", "-q"]
    done = subprocess.run(suite, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    linter = [sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet"]
    subprocess.run(linter, cwd=checkout, check=True)


@pytest.mark.parametrize("ws_id", PROBES)
def test_each_feature_is_there(checkout: Path, ws_id: str) -> None:
    """What a workstream was to bring can be used."""
    command = [sys.executable, "-B", "-c", PROBES[ws_id]]
    subprocess.run(command, cwd=checkout / "src", check=True)


@pytest.mark.parametrize("pair", [*PAIRS, RED])
def test_the_later_one_is_mended(landed: Landed, pair: tuple[str, str]) -> None:
    """Of two that do not go together, one is merged as it is, the other after a FIX turn."""
    assert sorted(landed.steps(ws_id).count("fix integrate") for ws_id in pair) == [0, 1]


def test_nobody_else_is_mended(landed: Landed) -> None:
    """What gets along with the rest has no FIX turn."""
    others = set(PROBES) - {ws_id for pair in (*PAIRS, RED) for ws_id in pair}
    assert not [ws_id for ws_id in others if "fix integrate" in landed.steps(ws_id)]


def test_conflicts_are_told(landed: Landed) -> None:
    """The events name one of each pair as in conflict, and nobody else."""
    told = {event["ws_id"] for event in landed.events("merge_conflict")}
    assert [len(told & set(pair)) for pair in PAIRS] == [1, 1, 1]
    assert told <= {ws_id for pair in (*PAIRS, RED) for ws_id in pair}


def test_the_pairs_ran_side_by_side(landed: Landed) -> None:
    """Both of a pair began before either was merged."""
    for pair in (*PAIRS, RED):
        started = landed.moments("workstream_start", pair)
        assert max(started) < min(landed.moments("merged", pair))


@pytest.mark.parametrize(("ws_id", "before"), AFTER.items())
def test_dependents_wait_for_the_merge(landed: Landed, ws_id: str, before: str) -> None:
    """A workstream starts from what it depends on."""
    (started,), (merged,) = (
        landed.moments("workstream_start", [ws_id]),
        landed.moments("merged", [before]),
    )
    assert started > merged


def test_a_group_and_a_gate_hold(landed: Landed) -> None:
    """One of a conflict group at a time, and the second gate behind all of the first."""
    first, second = sorted(landed.moments("workstream_start", ["ws-reorder", "ws-recount"]))
    assert second > min(landed.moments("workstream_end", ["ws-reorder", "ws-recount"]))
    (release,) = landed.moments("workstream_start", ["ws-release"])
    assert release > max(landed.moments("merged", set(PROBES) - {"ws-release"}))
    assert first < second


def test_the_checkout_is_untouched(landed: Landed) -> None:
    """Not a byte of the user's files, branch or index has changed."""
    assert landed.after == landed.before


def test_each_workstream_is_merged_once(landed: Landed) -> None:
    """The branch holds what it began with, and one merge for each workstream."""
    told = [event["ws_id"] for event in landed.events("merged")]
    assert sorted(told) == sorted(PROBES)
    log = git(landed.root, "log", "--format=%s", f"integration/{RUN}").split()
    assert set(PROBES) <= {word.strip(":,") for word in log}

"""What is known of the tools at one moment, over a real journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.model.outcome import OutcomeKind
from penstock.model.states import AttemptState
from penstock.routing.api import Try
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from penstock.tools.toolbox import make_toolbox
from penstock.toolside import ToolSide
from tests.support.journals import START, StepClock, cost, intent, seed
from tests.support.programs import Machine
from tests.support.registries import FOLDER, registry_of, write_registry

CODING = {"primary": "aider", "fallback": ["codex"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with aider and codex."""
    machine = Machine(tmp_path / "machine")
    for name in ("aider", "codex"):
        machine.program(name)
    return machine


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[DocumentedJournal]:
    """A journal in which codex succeeds and aider fails."""
    with open_journal(tmp_path / "p.db", clock=StepClock()) as journal:
        seed(journal)
        for number, (tool, ok) in enumerate([("aider", False), ("codex", True)], 1):
            asked = msgspec.structs.replace(intent("edit", number), tool_id=tool)
            state = AttemptState.SUCCEEDED if ok else AttemptState.FAILED
            begun = journal.begin_attempt(asked)
            journal.finish_attempt(begun.id, state, cost=cost(actual_cost_usd=0.5))
        yield journal


def side(
    root: Path, machine: Machine, journal: DocumentedJournal | None = None, **rule: Any
) -> ToolSide:
    """Return the tools of a registry with one rule at the journal's time."""
    tools = {n: {"name": n, "detectCommands": [n]} for n in ("aider", "codex", "claude-cli")}
    write_registry(root / FOLDER, tools, rules={"capabilities": {"coding": {**CODING, **rule}}})
    registry, now = registry_of(root), START + 1000
    return ToolSide(registry, make_toolbox({}), journal, environ=machine.environ, now=now)


def test_auto_learns_from_the_journal(
    tmp_path: Path, machine: Machine, journal: DocumentedJournal
) -> None:
    """The tool with the better record comes first; without a journal the rule's order stands."""
    learned = side(tmp_path, machine, journal, strategy="auto")
    assert learned.decide("coding").order == ("codex", "aider")
    state = learned.states(["codex"], "coding")["codex"]
    assert state.successes > 0
    assert state.cost_per_success == pytest.approx(0.5)
    assert side(tmp_path, machine, strategy="auto").decide("coding").order == ("aider", "codex")


def test_a_fixed_rule_does_not_walk_the_journal(
    tmp_path: Path, machine: Machine, journal: DocumentedJournal
) -> None:
    """Statistics are for `auto` alone."""
    fixed = side(tmp_path, machine, journal)
    assert fixed.states(["codex"], "coding")["codex"].successes == 0
    assert fixed.decide("coding").order == ("aider", "codex")


def test_a_decision_starts_no_tool(tmp_path: Path, machine: Machine) -> None:
    """Whether a tool is there is enough; versions are asked for when they are shown."""
    tools = side(tmp_path, machine)
    assert tools.decide("coding").tool_id == "aider"
    assert not machine.asked.exists()
    assert tools.detection("aider").version == "1.2.3"
    assert machine.times_asked("aider") == 1
    assert tools.decide("coding").tool_id == "aider"
    assert machine.times_asked("codex") == 0


@pytest.mark.parametrize(
    ("payload", "rule", "again"),
    [({}, {}, 1), ({}, {"max_retries": 0}, 0), ({"max_retries": 2}, {"max_retries": 0}, 2)],
)
def test_how_often_a_tool_is_tried_again(
    payload: dict[str, Any], rule: dict[str, Any], again: int, tmp_path: Path, machine: Machine
) -> None:
    """The payload says, then the rule, else once."""
    tools = side(tmp_path, machine, **rule)
    tries: list[Try] = []
    while (chosen := tools.decide("coding", payload, tries).tool_id) == "aider":
        tries.append(Try(tool_id=chosen, kind=OutcomeKind.CRASHED))
    assert len(tries) == 1 + again
    assert chosen == "codex"


def test_a_tool_of_a_profile_needs_no_entry(tmp_path: Path, machine: Machine) -> None:
    """What the toolbox knows is asked whether it can start; what nobody knows cannot."""
    tools = side(tmp_path, machine)
    states = tools.states(["scripted", "hammer"], "coding")
    assert states["scripted"].unavailable is None
    assert states["hammer"].unavailable == "penstock has no adapter for it"


def test_the_wish_of_a_workstream_comes_first(tmp_path: Path, machine: Machine) -> None:
    """A tool that it prefers is tried before the rule's own order."""
    decision = side(tmp_path, machine).decide("coding", override="codex")
    assert decision.order == ("codex", "aider")

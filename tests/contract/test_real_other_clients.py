"""The real clients of the second group, through their adapters: each one's success and failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.model.outcome import OutcomeKind
from tests.support.clients import OTHERS
from tests.support.endpoint_plan import Fault, FaultKind, Plan, ReplyUsage, Turn, editing, status
from tests.support.real_turns import Scene, scene

pytestmark = pytest.mark.real_cli

REPLIES = {"copilot": 2, "gemini": 3, "mini-swe-agent": 2, "opencode": 3, "qwen": 3}
"""How many replies of the model each client needs for an edit and a last word."""
UNCOUNTED = "copilot"
"""Its events tell no tokens."""
GOOD = "def add(a, b):\n    return a + b\n"
REPAIR = editing({"calc.py": GOOD})

every_client = pytest.mark.parametrize("client", sorted(OTHERS))
Play = Callable[[str, Plan], Scene]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Set a scene for a client and a plan; its end is checked after the test."""
    with ExitStack() as stack:
        yield lambda client, plan: stack.enter_context(scene(client, plan, tmp_path, monkeypatch))


def failing(fault: Fault) -> Plan:
    """Return the plan of a repair that a fault comes in between."""
    return Plan(REPAIR.turns, (fault,))


@every_client
def test_success(client: str, play: Play) -> None:
    """A turn that edits its file is `edited`, and the worktree holds nothing but the edit."""
    stage = play(client, REPAIR)
    done = stage.turn()
    assert done.outcome.kind is OutcomeKind.EDITED
    assert (done.changed, stage.read()) == (("calc.py",), GOOD)
    assert done.report.unknown_events == 0


@every_client
def test_usage(client: str, play: Play) -> None:
    """Tokens are counted over all replies, none twice; where none are told they are unknown."""
    used = ReplyUsage(input=100, output=50, cached=40, reasoning=10)
    done = play(client, Plan((Turn(edits={"calc.py": GOOD}, usage=used),))).turn()
    replies, tokens = REPLIES[client], done.report.usage
    if client == UNCOUNTED:
        assert (tokens.input_tokens, tokens.output) == (None, None)
        return
    assert tokens.input_tokens == 140 * replies
    assert (tokens.cache_read, tokens.output) == (40 * replies, 50 * replies)


@every_client
def test_rejected_key(client: str, play: Play) -> None:
    """A key that the vendor rejects is `auth`, soon and without an edit."""
    done = play(client, failing(status(401))).turn()
    assert done.outcome.kind is OutcomeKind.AUTH
    assert done.changed == ()
    assert done.report.duration_s < 30


@pytest.mark.parametrize("client", sorted(set(OTHERS) - {"qwen"}))
@pytest.mark.parametrize(("code", "kind"), [(429, "rate_limited"), (500, "overloaded")])
def test_failures_for_ever(client: str, code: int, kind: str, play: Play) -> None:
    """A vendor that fails for ever is told apart, and no client goes on asking for long."""
    done = play(client, failing(status(code))).turn()
    assert done.outcome.kind == kind
    assert done.report.duration_s < 30


@pytest.mark.parametrize("client", sorted(OTHERS))
def test_malformed_reply(client: str, play: Play) -> None:
    """A reply that is no reply is a failure that has a name, whatever the exit code."""
    done = play(client, failing(Fault(FaultKind.NOT_JSON))).turn(wall_s=30)
    assert done.outcome.kind in (OutcomeKind.BAD_OUTPUT, OutcomeKind.OVERLOADED)
    assert done.changed == ()


@every_client
def test_no_edit(client: str, play: Play) -> None:
    """A turn that ends well and changed nothing is `no_change`."""
    done = play(client, Plan((Turn(text="Nothing needs to be changed."),))).turn()
    assert done.outcome.kind is OutcomeKind.NO_CHANGE


@every_client
def test_hang_ends_at_the_wall_limit(client: str, play: Play) -> None:
    """A model that never answers costs a turn its wall limit, and no process goes on."""
    done = play(client, failing(Fault(FaultKind.HANG))).turn(wall_s=8)
    assert done.outcome.kind is OutcomeKind.TIMEOUT

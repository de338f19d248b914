"""The escalation pipeline with the real aider, through AIM as it is packaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.endpoint_plan import Plan, editing, status
from tests.support.escalation import FILE, Ladder, make_ladder
from tests.support.model_endpoint import ModelEndpoint
from tests.support.real_turns import KEY, client_world, files_with
from tests.support.repos import write

pytestmark = pytest.mark.real_cli

BROKEN, GOOD = "x = 1  # broken\n", "x = 1\n"


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ladder]:
    """A file to mend, AIM on with its packaged registry, and aider for the first tier."""
    ladder = make_ladder(tmp_path, monkeypatch)
    ladder.aim(on=True)
    agents = {"agents": {"aider": {"model": "openai/scripted", "flags": ["--no-auto-lint"]}}}
    write(ladder.root, {"config/agent_profiles.json": json.dumps(agents)})
    ladder.file(BROKEN)
    yield ladder
    assert files_with(tmp_path, KEY) == [], "the key was written to a file"


def played(plan: Plan, ladder: Ladder, monkeypatch: pytest.MonkeyPatch) -> ModelEndpoint:
    """Play a plan to the end of the pipeline."""
    with client_world("aider", plan, ladder.root.parent, monkeypatch) as endpoint:
        ladder.run()
        return endpoint


def test_aider_mends_the_file(ladder: Ladder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told the finding, edits the file in its own tree, and the result is brought over."""
    endpoint = played(editing({FILE: GOOD}), ladder, monkeypatch)
    end = ladder.tick()
    assert (end.final_status, ladder.text()) == ("success", GOOD)
    (attempt,) = end.ai_attempts
    assert (attempt.tool_id, attempt.outcome, attempt.changed_files) == ("aider", "edited", (FILE,))
    assert "BROKEN broken here" in str(endpoint.asks[-1].body)


def test_a_rejected_key_is_an_infrastructure_failure(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it was."""
    plan = Plan(editing({FILE: GOOD}).turns, (status(401),))
    played(plan, ladder, monkeypatch)
    end = ladder.tick()
    assert (end.final_status, end.ai_attempts[0].outcome) == ("infra_failure", "auth")
    assert ladder.text() == BROKEN

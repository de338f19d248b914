"""How the AI tools of a machine are judged."""

from __future__ import annotations

import pytest

from penstock.environment.api import Verdict
from penstock.examining.looking import judge_tools
from penstock.registry.api import SignIn, ToolDetection
from penstock.toolside import ContractResult, ToolStatus

KEY = SignIn(key="A_KEY")
LOGIN = SignIn(login="~/.tool")
NONE = SignIn(command="tool login")


def status(
    name: str,
    sign_in: SignIn = KEY,
    *,
    there: bool = True,
    mismatches: tuple[str, ...] | None = None,
) -> ToolStatus:
    """Return what is known of a tool; `mismatches` None: it was never probed."""
    contract = None
    if mismatches is not None:
        contract = ContractResult(
            tool_id=name, version="1", measured="1", probed_at=0.0, mismatches=mismatches
        )
    path = f"/bin/{name}" if there else None
    detection = ToolDetection(tool_id=name, path=path, version="1.0" if there else None)
    return ToolStatus(detection=detection, sign_in=sign_in, contract=contract)


@pytest.mark.parametrize("sign_in", [KEY, LOGIN])
def test_one_that_can_reach_its_model_is_enough(sign_in: SignIn) -> None:
    """Others may be absent or without a key."""
    found = judge_tools([status("a", sign_in), status("b", NONE), status("c", there=False)])
    assert found.status is Verdict.PASS
    assert found.message == "2 installed, signed in: a"
    assert set(found.details) == {"a", "b"}


@pytest.mark.parametrize("there", [[], [status("a", there=False)]])
def test_none_is_a_warning(there: list[ToolStatus]) -> None:
    """With how to get one."""
    found = judge_tools(there)
    assert (found.status, found.message) == (Verdict.WARN, "no AI tool is installed")
    assert found.hint is not None


def test_none_signed_in_is_a_warning() -> None:
    """With the command that signs the first one in."""
    found = judge_tools([status("a", NONE), status("b", NONE)])
    assert (found.status, found.hint) == (Verdict.WARN, "tool login")


def test_a_broken_contract_is_a_warning() -> None:
    """A tool that has changed under us is named, also where another one would do."""
    found = judge_tools([status("a", mismatches=("no --json",)), status("b", mismatches=())])
    assert found.status is Verdict.WARN
    assert "the interface of a is not" in found.message
    assert [found.details[name]["contract"] for name in ("a", "b")] == [["no --json"], "kept"]

"""The child that speaks to the Jules API, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.tools import jules_child
from tests.support.jules_service import KEY, NAME, PATCH, JulesService, activity

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Carry out an order against a service and return the exit code and the events."""

    def start(service: JulesService) -> tuple[int, list[dict[str, Any]]]:
        order = {
            "base_url": service.base_url, "source": "sources/github/o/r", "branch": "main",
            "title": "t", "prompt": "p", "poll_s": 0.01, "patch_file": str(tmp_path / "patch"),
        }  # fmt: skip
        path = tmp_path / "order.json"
        path.write_text(json.dumps(order))
        monkeypatch.setenv("JULES_API_KEY", KEY)
        monkeypatch.setattr("sys.argv", ["jules_child.py", str(path)])
        with service:
            code = jules_child.main()
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return start


def test_the_whole_way(run: Run, tmp_path: Path) -> None:
    """A session is submitted, asked for until its end, and its last patch kept."""
    code, told = run(JulesService())
    assert (code, [event["type"] for event in told]) == (
        0, ["submitted", "state", "state", "result"],
    )  # fmt: skip
    assert told[0]["session"] == NAME
    assert told[-1] == {
        "type": "result",
        "state": "COMPLETED",
        "patch": True,
        "url": told[-1]["url"],
    }
    assert (tmp_path / "patch").read_text() == PATCH


def test_a_failed_session_has_no_patch(run: Run, tmp_path: Path) -> None:
    """What a failed session left behind is not taken."""
    code, told = run(JulesService(states=("FAILED",), outputs=activity(PATCH)["artifacts"]))
    assert (code, told[-1]["state"], told[-1]["patch"]) == (0, "FAILED", False)
    assert (tmp_path / "patch").read_text() == ""


def test_an_error_of_the_service(run: Run) -> None:
    """An HTTP error is one event with its status and its Retry-After."""
    code, told = run(JulesService(broken={"GET session": (429, {"Retry-After": "3"}, b"slow")}))
    assert (code, told[-1]["type"]) == (1, "error")
    assert (told[-1]["status"], told[-1]["retry_after"], told[-1]["message"]) == (429, "3", "slow")


@pytest.mark.parametrize("body", [b"", b"null", b'"x"', b"\xff"])
def test_replies_that_are_none(body: bytes, run: Run) -> None:
    """A reply that is no object is an error without a status."""
    code, told = run(JulesService(broken={"POST sessions": (200, {}, body)}))
    assert (code, told[-1]["status"]) == (1, None)
    assert told[-1]["message"].startswith("invalid JSON")


@pytest.mark.parametrize("url", ["https://h/v1", "http://127.0.0.1:1/v1", "http://localhost/v1"])
def test_addresses_that_are_safe(url: str) -> None:
    """https, and http on this machine."""
    jules_child.check_address(url)


@pytest.mark.parametrize("holder", [{}, {"changeSet": None}, {"changeSet": {"gitPatch": None}}])
def test_artifacts_without_a_patch(holder: dict[str, Any]) -> None:
    """An artifact of another kind has no patch."""
    assert jules_child.patch_of(holder) == ""

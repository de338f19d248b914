"""Tools that are given their secrets while they are started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.errors import NotFoundError, SecretsError
from penstock.model.outcome import OutcomeKind
from penstock.model.settings import ToolProfile
from penstock.process.api import Stop
from penstock.process.environment import Loan, lending
from penstock.redact.redactor import Redactor
from penstock.tools.api import TurnRequest
from penstock.tools.lending import LendingToolbox
from penstock.tools.toolbox import make_toolbox

PROFILE = ToolProfile(tool_id="env", command="sh", args=("-c", "echo got $A_KEY"))
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")


class Lending:
    """Lends one key to every tool; `locked` means that it cannot be read."""

    def __init__(self, name: str, *, locked: bool = False) -> None:
        self._loan = Loan(values={name: "a-lent-value"}, named=(name,))
        self._locked = locked
        self.turns: list[tuple[str, str | None, str | None]] = []

    @contextmanager
    def turn(
        self, tool_id: str, run_id: str | None = None, ws_id: str | None = None
    ) -> Iterator[None]:
        """Lend it."""
        if self._locked:
            raise SecretsError("the keyring is locked")
        self.turns.append((tool_id, run_id, ws_id))
        with lending(self._loan):
            yield

    @contextmanager
    def glance(self, _tool_id: str) -> Iterator[None]:
        """Let it be seen."""
        with lending(self._loan):
            yield


@pytest.fixture
def request_(tmp_path: Path) -> TurnRequest:
    """A turn in an empty worktree."""
    return TurnRequest(
        run_id="run-1",
        ws_id="ws-1",
        step="edit",
        turn=0,
        worktree=tmp_path,
        repo_root=tmp_path,
        prompt="",
        prompt_file=tmp_path / "p.txt",
        files=(),
        home=tmp_path / "home",
        log=tmp_path / "log.txt",
        marker="m",
    )


def toolbox(lender: Lending) -> LendingToolbox:
    """Return the built-in tools and one of the user's own, with what the lender lends."""
    return LendingToolbox(make_toolbox({"env": PROFILE}), lender)


def test_a_turn_has_the_secret(request_: TurnRequest) -> None:
    """The child sees it; who asked for which turn is told."""
    lender = Lending("A_KEY")
    report = toolbox(lender).get("env").run(request_, Stop(), Redactor().stream)
    assert report.tail == "got a-lent-value\n"
    assert lender.turns == [("env", "run-1", "ws-1")]
    assert "a-lent-value" not in " ".join(report.argv)


def test_a_secret_that_cannot_be_read_is_a_missing_login(request_: TurnRequest) -> None:
    """Nothing is started, and the next tool may take over."""
    report = (
        toolbox(Lending("A_KEY", locked=True)).get("env").run(request_, Stop(), Redactor().stream)
    )
    assert report.signal is not None
    assert report.signal.kind is OutcomeKind.AUTH
    assert "the keyring is locked" in report.message
    assert not request_.log.exists()


def test_a_key_in_the_vault_is_no_login_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool with a key may run many times at once; with another secret it has still its login."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    assert not toolbox(Lending("ANTHROPIC_API_KEY")).get("claude").own_login()
    assert toolbox(Lending("A_KEY")).get("claude").own_login()


def test_a_service_that_takes_nothing_but_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key may lie in the vault; without one it is not available."""
    monkeypatch.delenv("JULES_API_KEY", raising=False)
    assert toolbox(Lending("JULES_API_KEY")).get("jules").available() is None
    assert "JULES_API_KEY is not set" in (toolbox(Lending("A_KEY")).get("jules").available() or "")


def test_all_else_is_the_tools_own(request_: TurnRequest) -> None:
    """Ids, command lines and absence are those of the tool itself."""
    plain, lent = make_toolbox({"env": PROFILE}), toolbox(Lending("A_KEY"))
    assert lent.ids() == plain.ids()
    assert lent.get("claude").tool_id == "claude-cli"
    assert lent.get("env").command_line(request_) == plain.get("env").command_line(request_)
    assert lent.get("env").available() is None
    with pytest.raises(NotFoundError):
        lent.get("no-such-tool")

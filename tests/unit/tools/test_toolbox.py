"""Tools are found by id: built-in, configured, brought by other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.errors import ConfigError, NotFoundError
from penstock.model.outcome import Outcome
from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.settings import ToolProfile
from penstock.tools.api import judge
from penstock.tools.checkers import CheckerTool
from penstock.tools.external import ExternalAdapter, ExternalTool
from penstock.tools.profile import ProfileTool
from penstock.tools.toolbox import BUILT_IN, make_toolbox

MINE = {name: ToolProfile(tool_id=name, command="true") for name in ("mine", "aider")}


@pytest.fixture
def outsiders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that brings tools by entry point, some of them broken."""
    info = tmp_path / "outsider-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[penstock.tools]\nouter = outsider:Outer\nbroken = outsider:Nothing\n"
        "absent = no_such_module:X\nhalf = outsider:Half\npicky = outsider:Picky\n"
    )
    (tmp_path / "outsider.py").write_text(
        "class Half:\n    tool_id = 'half'\n    command_line = available = run = None\n"
        "class Outer(Half):\n    tool_id = 'outer'\n    own_login = None\n"
        "class Picky:\n    def __init__(self, need):\n        pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "outsider", raising=False)


@pytest.mark.parametrize("tool_id", sorted(BUILT_IN))
def test_built_in_tools(tool_id: str) -> None:
    """Each built-in tool is there under its own id, and made once."""
    tools = make_toolbox(MINE)
    assert tools.get(tool_id).tool_id == tool_id
    assert tools.get(tool_id) is tools.get(tool_id)


def test_an_alias() -> None:
    """`claude` is `claude-cli`."""
    assert make_toolbox({}).get("claude").tool_id == "claude-cli"


def test_profiles() -> None:
    """A profile is a tool, but does not replace a built-in one of the same id."""
    tools = make_toolbox(MINE)
    assert isinstance(tools.get("mine"), ProfileTool)
    assert not isinstance(tools.get("aider"), ProfileTool)
    assert list(tools.ids()) == sorted({*BUILT_IN, "mine"})


def test_a_profile_of_a_checker_stands_before_it() -> None:
    """The names of ordinary commands are the user's: a profile replaces the built-in checker."""
    profile = ToolProfile(tool_id="ruff", command="true")
    assert isinstance(make_toolbox({"ruff": profile}).get("ruff"), ProfileTool)
    assert isinstance(make_toolbox({}).get("ruff"), CheckerTool)


def test_adapter_programs_stand_first() -> None:
    """A program that a registry names for a tool is used for it, and listed."""
    adapters = [ExternalAdapter(tool_id=name, path=Path("x.py")) for name in ("aider", "other")]
    tools = make_toolbox(MINE, adapters)
    assert all(isinstance(tools.get(name), ExternalTool) for name in ("aider", "other"))
    assert "other" in tools.ids()


def test_an_unknown_tool() -> None:
    """The error lists what is known and says which one may have been meant."""
    with pytest.raises(NotFoundError, match="there is no tool 'claud'") as caught:
        make_toolbox(MINE).get("claud")
    hint = caught.value.hint or ""
    assert hint.startswith("did you mean claude? known tools: aider, amp, claude, claude-cli")
    with pytest.raises(NotFoundError) as caught:
        make_toolbox({}).get("zzz")
    assert (caught.value.hint or "").startswith("known tools:")


@pytest.mark.usefixtures("outsiders")
def test_tools_of_other_packages() -> None:
    """An entry point of the group penstock.tools is a tool like any other."""
    tools = make_toolbox({})
    assert tools.get("outer").tool_id == "outer"
    assert "outer" in tools.ids()


@pytest.mark.usefixtures("outsiders")
@pytest.mark.parametrize("tool_id", ["broken", "absent", "picky", "half"])
def test_broken_tools_of_other_packages(tool_id: str) -> None:
    """One that cannot be loaded is a clear error, not a traceback."""
    with pytest.raises(ConfigError, match=f"the tool '{tool_id}' of the entry point"):
        make_toolbox({}).get(tool_id)


@pytest.mark.parametrize(
    ("signal", "changed", "kind", "partial"),
    [
        (None, True, Kind.EDITED, False),
        (None, False, Kind.NO_CHANGE, False),
        (Kind.RATE_LIMITED, True, Kind.RATE_LIMITED, True),
        (Kind.RATE_LIMITED, False, Kind.RATE_LIMITED, False),
        (Kind.DENIED, False, Kind.DENIED, False),
        (Kind.DENIED, True, Kind.EDITED, False),
        (Kind.REFUSED, True, Kind.EDITED, False),
    ],
)
def test_judgement(signal: Kind | None, *, changed: bool, kind: Kind, partial: bool) -> None:
    """The diff decides over success and over denials; any other failure stays one."""
    outcome = judge(None if signal is None else Outcome(kind=signal), changed=changed)
    assert (outcome.kind, outcome.partial) == (kind, partial)

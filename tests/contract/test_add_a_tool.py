"""What docs/how-to/add-a-tool.md shows works as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.settings import ToolProfile
from penstock.tools.api import Tool, judge
from penstock.tools.profile import ProfileTool
from tests.support.turns import fake_cli, path_with, play, request_in

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-tool.md"


def shown(language: str) -> str:
    """Return the guide's example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def adapter() -> Tool:
    """The guide's adapter."""
    names: dict[str, Any] = {}
    exec(compile(shown("python"), str(GUIDE), "exec"), names)  # noqa: S102 - our own page
    made: Tool = names["MyAgent"]()
    return made


@pytest.mark.parametrize(
    ("says", "code", "kind"),
    [
        ('{"type": "end", "tokens": 7}', 1, Kind.NO_CHANGE),
        ('{"type": "end", "limited": true, "why": "slow"}', 0, Kind.RATE_LIMITED),
        ("hello", 0, Kind.BAD_OUTPUT),
        ("hello", 1, Kind.CRASHED),
    ],
)
def test_the_adapter(
    adapter: Tool, says: str, code: int, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's adapter tells success, a limit, silence and a crash apart."""
    fake_cli(tmp_path / "bin", "my-agent", f"echo '{says}'\nexit {code}")
    monkeypatch.setenv("PATH", path_with(tmp_path / "bin"))
    report = play(adapter, request_in(tmp_path))
    assert adapter.available() is None
    assert judge(report.signal, changed=False).kind is kind
    assert report.usage.output == (7 if kind is Kind.NO_CHANGE else None)


def test_the_profile(tmp_path: Path) -> None:
    """The guide's profile is one, and renders."""
    ((tool_id, entry),) = json.loads(shown("json")).items()
    tool = ProfileTool(msgspec.convert({**entry, "tool_id": tool_id}, ToolProfile))
    request = request_in(tmp_path)
    prompt = str(request.prompt_file)
    assert tool.command_line(request) == ("my-agent", "--task-file", prompt, "--file", "calc.py")

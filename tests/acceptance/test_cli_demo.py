"""The demonstration through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from penstock.demo.content import EXPECTED
from tests.support.cli import child, git
from tests.support.terminal import on_terminal, shown

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "run-result.schema.json"


@pytest.mark.slow
def test_the_demo_ends_as_scripted(tmp_path: Path) -> None:
    """Its JSON holds repo, run and result; every workstream ends as it should, with FIX turns."""
    said = child("demo", "--keep", str(tmp_path / "shop"), "--json", cwd=tmp_path)
    assert said.code == 0, said.err
    demo = said.json
    assert demo["as_scripted"] is True
    assert demo["repo"] == str(tmp_path / "shop")
    jsonschema_rs.validate(json.loads(SCHEMA.read_text(encoding="utf-8")), demo["result"])
    ends = {w["ws_id"]: w["final_status"] for w in demo["result"]["workstreams"]}
    assert ends == dict(EXPECTED)
    branches = git(tmp_path / "shop", "branch", "--list", f"integration/{demo['run_id']}")
    assert branches


@pytest.mark.slow
def test_the_demo_shows_where_everything_lies(tmp_path: Path) -> None:
    """On a terminal it is shown live, and in the end stand the commands that come next."""
    code, text = on_terminal("demo", "--keep", str(tmp_path / "shop"), cwd=tmp_path)
    lines = shown(text)
    assert code == 0, lines
    after = lines[lines.index("What to look at, in the repository that was made:") :]
    assert f"  cd {tmp_path / 'shop'}" in after
    assert any("report latest --format md" in line for line in after)
    assert any("show latest ws-" in line for line in after)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """The demo writes into an empty folder only."""
    (tmp_path / "mine.txt").write_text("mine")
    said = child("demo", "--keep", str(tmp_path), "--json", cwd=tmp_path)
    assert said.code == 2
    assert "not empty" in said.json["error"]["message"]

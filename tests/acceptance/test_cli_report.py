"""`penstock report` over a real run: what it used, what went otherwise, what was not checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from tests.support.cli import bundle, child, git, make_repository, write_bundles

ROOT = Path(__file__).resolve().parents[2]
USED = {"input_tokens": 1000, "output_tokens": 200, "cost_usd": 0.25}


def good() -> dict[str, Any]:
    """Return a bundle whose turn costs something and whose acceptance is partly prose."""
    turn = {"edits": {"ws-good.txt": "one\ntwo\n"}, "output": "done", "usage": USED}
    return bundle(
        "ws-good",
        metadata={"scripted": [turn]},
        max_cost_usd=1.0,
        acceptance_tests=["test -f ws-good.txt", "It reads well."],
    )


def bad() -> dict[str, Any]:
    """Return a bundle that edits outside its scope, at a cost that nobody knows."""
    turn = {"edits": {"elsewhere.txt": "x\n"}, "output": "oops", "usage": {"input_tokens": 5}}
    return bundle("ws-bad", metadata={"scripted": [turn]})


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after a run of one that is done, one that failed, and one that waits for it."""
    folder = make_repository(tmp_path_factory.mktemp("report") / "project")
    (folder / "config").mkdir()
    limits = "limits:\n  max_tokens: 10000\n"
    (folder / "config" / "pipeline.yaml").write_text(limits, encoding="utf-8")
    write_bundles(folder, good(), bad(), bundle("ws-held", depends_on=["ws-bad"]))
    said = child("run", "--all", "--run-id", "run-r", cwd=folder)
    assert said.code == 1, said.err
    return folder


def report(repo: Path, form: str) -> str:
    """Return the report of the run in a format."""
    said = child("report", "run-r", "--format", form, cwd=repo)
    assert (said.code, said.err) == (0, "")
    return said.out


def test_text(repo: Path) -> None:
    """Money against caps, tools, scope violations and what was not checked are all told."""
    text = report(repo, "text")
    assert "Spent: at least $0.25; 1.2k of 10.0k tokens (12 %); the cost of 1 turn" in text
    assert "integrated: 1 file, +2 -0." in text
    rows = [line.split() for line in text.splitlines()]
    assert ["scripted", "2", "1", "1", "50", "%"] in [row[:6] for row in rows]
    assert ["ws-bad", "edit", "fail", "elsewhere.txt"] in [row[:4] for row in rows]
    assert "not run, prose: It reads well." in text
    assert ["ws-held", "static", "not", "come", "to", "(pending)"] in rows


def test_markdown(repo: Path) -> None:
    """The sections are tables of a page."""
    text = report(repo, "md")
    assert "## Scope violations" in text
    assert "| ws-bad | edit | fail | elsewhere.txt |" in text


def test_json_obeys_its_schema(repo: Path) -> None:
    """Programs get the same figures as values, null where nothing is known."""
    document = json.loads(report(repo, "json"))
    schema = json.loads((ROOT / "schema" / "run-result.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(document)
    figures = document["figures"]
    assert (figures["usage"]["cost_usd"], figures["usage"]["unpriced"]) == (0.25, 1)
    by_id = {row["ws_id"]: row for row in figures["workstreams"]}
    assert by_id["ws-good"]["max_cost_usd"] == 1.0
    assert by_id["ws-good"]["diff"] == {"files": 1, "insertions": 2, "deletions": 0}
    assert by_id["ws-bad"]["usage"]["cost_usd"] is None
    assert document["metrics"]["failed_steps"] == 1


def test_junit(repo: Path) -> None:
    """Counts add up over the suites, steps with nothing to run are skipped."""
    top = ET.fromstring(report(repo, "junit"))  # noqa: S314 - our own text
    suites = {suite.get("name"): suite for suite in top.findall("testsuite")}
    assert list(suites)[-1] == "run-r"
    cases = {case.get("name"): case for case in suites["ws-good"].findall("testcase")}
    skipped = cases["static 1"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "nothing to run"
    assert int(top.get("skipped") or 0) == len(top.findall(".//skipped"))


def test_the_figures_outlive_the_branches(repo: Path, tmp_path: Path) -> None:
    """When the commits are gone the sizes of diffs are unknown and the rest is still told."""
    copy = tmp_path / "copy"
    copy.mkdir()
    make_repository(copy)
    (copy / "state").mkdir()
    (copy / "state" / "pipeline.db").write_bytes((repo / "state" / "pipeline.db").read_bytes())
    found = json.loads(report(copy, "json"))["figures"]
    assert found["diff"] is None
    assert found["usage"]["cost_usd"] == 0.25
    assert git(repo, "status", "--short", "--", "state") == ""

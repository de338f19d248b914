"""`penstock graph` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

import penstock
from tests.support.cli import Cli, bundle, make_repository, write_bundles
from tests.support.drawings import DotReader, read_mermaid

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "schema" / "graph-result.schema.json"
VARIABLES = ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR", "PIPELINE_DRY_RUN")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in a repository with a chain of two, and one of a higher gate."""
    folder = make_repository(tmp_path / "project")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    last = bundle("ws-c", gate=2, conflict_group="db")
    write_bundles(folder, bundle("ws-a"), bundle("ws-b", depends_on=["ws-a"]), last)
    return Cli(folder, capsys)


def test_the_folder_is_drawn(cli: Cli) -> None:
    """Without arguments the folder of bundles, in 80 columns; nothing is written."""
    said = cli("graph")
    assert said.code == 0, said.err
    assert "3 workstreams, 3 waves, 4 slots" in said.out
    assert "Critical path: ws-a -> ws-b -> ws-c" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    assert not (cli.folder / "state").exists()


def test_json_matches_its_schema(cli: Cli) -> None:
    """`--json` and `--format json` are the same document."""
    said = cli("graph", "--json")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert jsonschema_rs.is_valid(schema, said.json)
    assert (said.json["run_id"], said.json["unit"]) == (None, "workstreams")
    assert [s["kind"] for s in said.json["serialised"]] == ["gate"]
    assert cli("graph", "--format", "json").json == said.json


def test_a_drawing_is_the_languages_own(cli: Cli) -> None:
    """Mermaid and DOT can be read back."""
    assert len(read_mermaid(cli("graph", "--format", "mermaid").out)[0]) == 3
    assert set(DotReader(cli("graph", "--format", "dot").out).nodes) == {"ws-a", "ws-b", "ws-c"}


def test_files_can_be_named(cli: Cli) -> None:
    """Only the bundles of the files are drawn."""
    said = cli("graph", "workstreams/ws-a.json", "--json", "--max-parallel", "2")
    assert [w["ws_id"] for w in said.json["workstreams"]] == ["ws-a"]
    assert said.json["slots"] == 2


def test_another_folder_can_be_named(cli: Cli) -> None:
    """`--dir` as for `validate`."""
    (cli.folder / "more").mkdir()
    text = json.dumps(bundle("ws-z"))
    (cli.folder / "more" / "z.json").write_text(text, encoding="utf-8")
    said = cli("graph", "--dir", "more", "--json")
    assert [w["ws_id"] for w in said.json["workstreams"]] == ["ws-z"]


def test_overlaps_are_shown_though_validate_refuses_them(cli: Cli) -> None:
    """The graph is where one looks for them; it says that they are errors."""
    write_bundles(cli.folder, bundle("ws-x", files_scope=["*.txt"]))
    said = cli("graph", "--json")
    assert said.code == 0
    found = [s["workstreams"] for s in said.json["serialised"] if s["kind"] == "overlap"]
    assert found == [["ws-a", "ws-x"], ["ws-b", "ws-x"]]
    assert "overlap_policy" in said.err


def test_overlaps_that_are_merged_hold_nothing_up(cli: Cli) -> None:
    """With `overlap_policy: merge` they run side by side."""
    (cli.folder / "config").mkdir()
    settings = "overlap_policy: merge\n"
    (cli.folder / "config" / "pipeline.yaml").write_text(settings, encoding="utf-8")
    write_bundles(cli.folder, bundle("ws-x", files_scope=["*.txt"]))
    said = cli("graph", "--json")
    assert [s["kind"] for s in said.json["serialised"]] == ["gate"]
    assert said.json["waves"][0] == ["ws-a", "ws-x"]


def test_errors_of_bundles_are_listed(cli: Cli) -> None:
    """A cycle has no order to draw."""
    write_bundles(cli.folder, bundle("ws-a", depends_on=["ws-b"]))
    said = cli("graph")
    assert said.code == 1
    assert "Dependency cycle(s) detected" in said.err + said.out


def test_a_limited_tool_is_named(cli: Cli) -> None:
    """limits.tools slows down what it serves."""
    (cli.folder / "config").mkdir()
    settings = "limits: {max_parallel: 3, tools: {scripted: 1}}\n"
    (cli.folder / "config" / "pipeline.yaml").write_text(settings, encoding="utf-8")
    write_bundles(cli.folder, bundle("ws-x"))
    said = cli("graph")
    assert "scripted (1 at a time): ws-a, ws-b, ws-x, ws-c" in " ".join(said.out.split())


def test_a_limited_capability_is_named(cli: Cli) -> None:
    """A bundle with a capability counts for that, not for its tool."""
    (cli.folder / "config").mkdir()
    settings = "limits: {capabilities: {review: 1}, tools: {scripted: 1}}\n"
    (cli.folder / "config" / "pipeline.yaml").write_text(settings, encoding="utf-8")
    write_bundles(cli.folder, *(bundle(f"ws-{n}", capability="review") for n in "ab"))
    found = cli("graph", "--json").json["serialised"]
    assert [s["kind"] for s in found] == ["gate", "capability"]


def test_a_run_is_drawn_with_its_times(cli: Cli) -> None:
    """What is done says so, times are the journal's; bundles get those of earlier runs."""
    assert cli("run", "--all", "--run-id", "run-one", "--json").code == 0
    said = cli("graph", "latest", "--json")
    assert (said.json["run_id"], said.json["unit"]) == ("run-one", "seconds")
    assert {w["status"] for w in said.json["workstreams"]} == {"done"}
    assert said.json["work"] >= said.json["length"] >= said.json["lower_bound"] > 0
    assert cli("graph", "--json").json["unit"] == "seconds"


def test_a_run_that_has_not_started_is_drawn(cli: Cli) -> None:
    """Bundles entered by `validate --run-id` are pending."""
    assert cli("validate", "--run-id", "run-one").code == 0
    said = cli("graph", "run-one", "--json")
    assert [w["status"] for w in said.json["workstreams"]] == ["pending"] * 3
    assert said.json["unit"] == "workstreams"


@pytest.mark.parametrize(
    ("filled", "code", "error"),
    [
        (None, 0, ""),
        ({"no": "bundle"}, 0, ""),
        (bundle("ws-a", depends_on=["ws-a"]), 2, "Dependency cycle(s) detected: ws-a -> ws-a"),
        (bundle("ws-a", files_scope=["/etc"]), 2, "a claim of a bundle of run-one is wrong"),
    ],
)
def test_a_run_that_a_script_has_filled_is_no_crash(
    cli: Cli, filled: object, code: int, error: str
) -> None:
    """Rows without a bundle are left out; bundles that nobody could schedule are an error."""
    assert cli("db", "init").code == 0
    penstock.create_run("run-one")
    metadata = None if filled is None else {"bundle": filled}
    penstock.create_workstream("ws-a", "run-one", metadata=metadata)
    said = cli("graph", "run-one")
    assert (said.code, error in said.err) == (code, True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nothing"], "there is no run 'nothing'"),
        (["nothing.json"], "there is no file or folder 'nothing.json'"),
        (["workstreams", "nothing"], "there is no file or folder 'nothing'"),
        (["nothing", "--dir", "workstreams"], "--dir is about bundles"),
        (["--max-parallel", "0"], "0 is not in the range"),
    ],
)
def test_what_is_not_there_is_named(cli: Cli, words: list[str], error: str) -> None:
    """A word that is neither a path nor a run."""
    said = cli("graph", *words)
    assert said.code == 2
    assert error in said.err


def test_the_python_api_draws_too(cli: Cli) -> None:
    """The folder, bundles as values, and a run."""
    everything = penstock.graph(root=cli.folder)
    assert everything.critical_path == ("ws-a", "ws-b", "ws-c")
    some = penstock.load("ws-a", root=cli.folder)
    assert penstock.graph(bundles=some, root=cli.folder, max_parallel=1).slots == 1
    assert cli("validate", "--run-id", "run-one").code == 0
    assert len(penstock.graph("run-one", root=cli.folder).nodes) == 3

"""Graphs as text, Mermaid and DOT."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cli.documents import graph_document
from penstock.cli.graphs import dot_graph, mermaid_graph, text_graph
from penstock.model.bundle import Bundle
from penstock.model.states import WorkstreamState
from penstock.schedule.picture import Picture, Rules, picture
from penstock.schedule.slots import Capacity
from tests.support.bundles import bundle, chain
from tests.support.drawings import DotReader, read_mermaid

ROOT = Path(__file__).resolve().parents[3]
NASTY = 'src/"a`<i>#1;&[x]|é*.py'
GROUP = 'g "1\\'
CLAIM_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def drawn(
    bundles: list[Bundle],
    durations: dict[str, float] | None = None,
    states: dict[str, WorkstreamState] | None = None,
) -> Picture:
    """A picture with two slots."""
    rules = Rules(capacity=Capacity(total=2))
    return picture(bundles, rules, durations=durations, states=states)


@pytest.fixture
def rich() -> Picture:
    """One of everything."""
    return drawn(
        [
            *chain(2, files_scope=["lib/"]),
            bundle("ws-a", files_scope=[NASTY], conflict_group=GROUP),
            bundle("ws-b", files_scope=[NASTY]),
            bundle("ws-c", conflict_group=GROUP),
            bundle("ws-lone", parallel_ok=False),
            bundle("ws-end", gate=2, depends_on=["ws-00001"]),
        ]
    )


def test_text_fits_into_80_columns(rich: Picture) -> None:
    """No line is longer, and each workstream is in a wave."""
    text = text_graph("workstreams", rich, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert [node.ws_id for node in rich.nodes if node.ws_id not in text] == []


def test_text_tells_the_whole_story(rich: Picture) -> None:
    """Waves by gate, the critical path, the speed-up, and each thing that serialises."""
    text = " ".join(text_graph("workstreams", rich, 80).split())
    assert "Critical path: ws-00000 -> ws-00001 -> ws-end" in text
    assert "Gate 2" in text
    assert "ws-lone runs alone" in text
    assert f"group {GROUP}: one at a time of ws-a, ws-c" in text
    assert "ws-a and ws-b: both claim" in text
    assert "gate 2 (ws-end) waits for all of the gates before" in text
    assert "the journal knows no times of theirs" in text


def test_text_says_seconds_where_they_are_known() -> None:
    """How long on the slots, how long in a row, and the bounds."""
    some = [bundle("ws-a", conflict_group="g"), bundle("ws-b", conflict_group="g"), bundle("ws-c")]
    text = text_graph("x", drawn(some, durations={"ws-a": 60.0, "ws-b": 60.0, "ws-c": 30.0}), 80)
    words = " ".join(text.split())
    assert "2m00s on 2 slots instead of 2m30s one after the other: 1.25 times as fast" in words
    assert "The critical path takes 1m00s" in words
    assert "conflict groups: cost 45s" not in words
    assert "conflict groups: cost 30s of 2m00s" in words


def test_text_of_nothing_and_of_what_is_free() -> None:
    """An empty folder, and workstreams that nothing holds up."""
    assert text_graph("x", drawn([]), 80) == "x: no workstreams\n"
    text = text_graph("x", drawn([bundle("ws-a"), bundle("ws-b")]), 80)
    assert "Nothing but dependencies and slots holds anything up." in text


def test_text_shows_states_of_a_run() -> None:
    """What has moved says how far it is."""
    states = {"ws-00000": WorkstreamState.DONE, "ws-00001": WorkstreamState.PENDING}
    text = text_graph("run-1", drawn(chain(2), states=states), 80)
    assert "ws-00000* (done)" in text
    assert "ws-00001*\n" in text


def test_large_graphs_stay_readable() -> None:
    """Long waves and long lists are cut, and say so."""
    many = [bundle(f"ws-{at:03}", files_scope=["x"]) for at in range(60)]
    text = text_graph("x", picture(many, Rules(capacity=Capacity(total=60))), 80)
    assert "and 980 more" in text
    wide = [bundle(f"ws-{at:03}") for at in range(60)]
    assert "and 20 more" in text_graph("x", picture(wide, Rules(capacity=Capacity(total=60))), 80)


def test_dot_holds_every_node_and_edge(rich: Picture) -> None:
    """Read back: ids, gates as clusters, the critical path bold, what serialises dashed."""
    read = DotReader(dot_graph(rich))
    assert set(read.nodes) == {node.ws_id for node in rich.nodes}
    assert read.clusters["cluster_2"] == ["ws-end"]
    styles = {(a, b): style.get("style") for a, b, style in read.edges}
    assert styles["ws-00000", "ws-00001"] == "bold"
    assert styles["ws-a", "ws-b"] == "dashed"
    labels = {(a, b): style.get("label") for a, b, style in read.edges}
    assert labels["ws-a", "ws-b"] == NASTY
    assert labels["ws-a", "ws-c"] == f"group {GROUP}"


@pytest.mark.skipif(
    shutil.which("dot") is None and not os.environ.get("PENSTOCK_REQUIRE_REAL"),
    reason="graphviz is not installed",
)
def test_dot_is_understood_by_graphviz(rich: Picture) -> None:
    """The program itself reads it."""
    subprocess.run(
        ["dot", "-Tsvg"], input=dot_graph(rich), check=True, text=True, capture_output=True
    )


def test_mermaid_holds_every_node_and_edge(rich: Picture) -> None:
    """Read back by a strict reader, a workstream that is called `end` too."""
    nodes, arrows = read_mermaid(mermaid_graph(rich))
    assert sorted(nodes.values()) == sorted(node.ws_id for node in rich.nodes)
    assert ("ws-00000", "==>", "ws-00001") in arrows


def test_mermaid_shows_states_and_times() -> None:
    """Done ones have their class, and seconds are in the label."""
    states = {"ws-00000": WorkstreamState.DONE}
    times = {"ws-00000": 12.0, "ws-00001": 3.0}
    text = mermaid_graph(drawn(chain(2), states=states, durations=times))
    assert "class n0 done" in text
    assert list(read_mermaid(text)[0].values()) == ["ws-00000 done 12s", "ws-00001 3.0s"]


def test_nothing_can_be_drawn() -> None:
    """An empty folder is an empty graph in both languages."""
    assert DotReader(dot_graph(drawn([]))).nodes == {}
    assert read_mermaid(mermaid_graph(drawn([]))) == ({}, [])


@settings(deadline=None)
@given(CLAIM_TEXT, CLAIM_TEXT)
def test_any_text_can_be_drawn(claim: str, group: str) -> None:
    """Whatever claims and groups hold, both languages stay valid."""
    path = f"src/{claim.replace('..', '')}x"
    some = [bundle(ws, files_scope=[path, ws], conflict_group=group) for ws in ("ws-a", "ws-b")]
    other = bundle("ws-c", files_scope=[path])
    shown = drawn([*some, other])
    assert len(DotReader(dot_graph(shown)).nodes) == 3
    assert len(read_mermaid(mermaid_graph(shown))[0]) == 3


def test_graph_documents_match_their_schema(rich: Picture) -> None:
    """With everything in it, and with nothing."""
    schema = json.loads((ROOT / "schema" / "graph-result.schema.json").read_text(encoding="utf-8"))
    for shown, run_id in ((rich, "run-1"), (drawn([]), None)):
        document = json.loads(msgspec.json.encode(graph_document(shown, run_id)))
        assert jsonschema_rs.is_valid(schema, document)
        assert document["run_id"] == run_id

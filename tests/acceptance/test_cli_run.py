"""A whole run through the command line, and everything that can be asked about it afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from tests.support.cli import Said, bundle, child, git, make_repository, write_bundles

ROOT = Path(__file__).resolve().parents[2]
GOOD = "python3 -c \"import sys; sys.exit('good' not in open('ws-mended.txt').read())\""
TURNS = [
    {"edits": {"ws-mended.txt": "bad\n"}},
    {"edits": {"ws-mended.txt": "good\n"}, "usage": {"input_tokens": 1200, "output_tokens": 34}},
]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after a run: one workstream passed at once, one was mended, one failed, and one
    depends on the failed one."""
    folder = make_repository(tmp_path_factory.mktemp("run") / "project")
    write_bundles(
        folder,
        bundle("ws-done"),
        bundle("ws-mended", acceptance_tests=[GOOD], metadata={"scripted": TURNS}),
        bundle("ws-failed", metadata={"scripted": [{"edits": {"elsewhere.txt": "x\n"}}]}),
        bundle("ws-after", depends_on=["ws-failed"]),
    )
    said = child("run", "--all", "--run-id", "run-one", "--json", cwd=folder)
    assert said.code == 1, said.err
    (folder / "result.json").write_text(said.out, encoding="utf-8")
    (folder / "lines.txt").write_text(said.err, encoding="utf-8")
    return folder


def ask(repo: Path, *args: str) -> Said:
    """Ask something that must succeed."""
    said = child(*args, cwd=repo)
    assert said.code == 0, said.err
    assert "Traceback" not in said.err
    return said


def test_the_result_matches_its_schema_and_the_facts(repo: Path) -> None:
    """`run --json` prints the documented document: each workstream with its end and its steps."""
    result = json.loads((repo / "result.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "schema" / "run-result.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validate(schema, result)
    ends = {w["ws_id"]: w["final_status"] for w in result["workstreams"]}
    assert ends == {
        "ws-after": "pending",
        "ws-done": "done",
        "ws-failed": "failed",
        "ws-mended": "done",
    }
    mended = next(w for w in result["workstreams"] if w["ws_id"] == "ws-mended")
    steps = [(s["step_name"], s["success"]) for s in mended["steps"]]
    expected = [("edit", True), ("static", True), ("runtime", False), ("fix", True)]
    assert steps[:5] == [*expected, ("runtime", True)]


def test_the_integration_branch_holds_what_was_done(repo: Path) -> None:
    """Done work is merged, failed work is not, and the user's own branch has not moved."""
    files = git(repo, "ls-tree", "--name-only", "integration/run-one").split()
    assert files == ["README.md", "ws-done.txt", "ws-mended.txt"]
    assert git(repo, "ls-tree", "--name-only", "main").split() == ["README.md"]
    assert git(repo, "status", "--porcelain", "--untracked-files=no") == ""


def test_every_line_of_the_run_names_it(repo: Path) -> None:
    """Progress lines go to stderr and carry the run's id."""
    lines = (repo / "lines.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 20
    assert all("[run-one" in line for line in lines)


def test_status_lists_runs_and_workstreams(repo: Path) -> None:
    """Without RUN the runs, with RUN the workstreams and why they did not get done."""
    runs = ask(repo, "status", "--json").json["runs"]
    assert [(r["run_id"], r["status"], r["done"], r["total"]) for r in runs] == [
        ("run-one", "failed", 2, 4)
    ]
    assert "2/4" in ask(repo, "status").out
    text = ask(repo, "status", "latest").out
    assert "outside the scope" in text
    rows = ask(repo, "status", "run-o", "--json").json["workstreams"]
    after = next(r for r in rows if r["ws_id"] == "ws-after")
    assert "ws-failed" in after["reason"]


def test_status_of_the_repository(repo: Path) -> None:
    """Branches, worktrees, key files and totals, as people and as programs read them."""
    text = ask(repo, "status", "--repo").out
    for part in ("Active workstream branches:", "Active worktrees:", "Key files:", "Total "):
        assert part in text
    found = ask(repo, "status", "--repo", "--json").json
    assert "integration/run-one" in [branch["name"] for branch in found["branches"]]
    assert child("status", "latest", "--repo", cwd=repo).code == 2


def test_show_tells_attempts_and_decisions(repo: Path) -> None:
    """`show` gives outcome, checks and what was decided between the attempts."""
    text = ask(repo, "show", "latest", "ws-mended").out
    for part in (
        "edit 1  ok  scripted, edited",
        "runtime 1  failed",
        "-> runtime: fix",
        "fix 1  ok",
    ):
        assert part in text
    story = ask(repo, "show", "latest", "ws-failed", "--json").json["workstreams"]
    assert [s["result"]["ws_id"] for s in story] == ["ws-failed"]
    kinds = [e["event"]["event_type"] for e in story[0]["timeline"] if "event" in e]
    assert "scope_violation" in kinds


def test_logs_of_all_steps_or_one(repo: Path) -> None:
    """What a tool printed can be read, step by step; a wrong step lists those that are there."""
    assert "wrote ws-done.txt" in ask(repo, "logs", "latest", "ws-done").out
    one = ask(repo, "logs", "latest", "done", "--step", "edit", "--json").json["logs"]
    assert [(entry["step"], entry["truncated"]) for entry in one] == [("edit", False)]
    assert "wrote" not in ask(repo, "logs", "latest", "ws-done", "--step", "static_1").out
    wrong = child("logs", "latest", "ws-done", "--step", "compile", cwd=repo)
    assert wrong.code == 2
    assert "edit_1, static_1, runtime_1" in wrong.err


def test_events_in_order_and_followed_to_the_end(repo: Path) -> None:
    """Events are listed oldest first; following an ended run prints them all and ends."""
    events = ask(repo, "events", "latest", "--json").json["events"]
    assert events[0]["event_type"] == "run_created"
    assert [e["id"] for e in events] == sorted(e["id"] for e in events)
    followed = ask(repo, "events", "latest", "--follow", "--json").out.splitlines()
    assert [json.loads(line)["id"] for line in followed] == [e["id"] for e in events]
    assert "run created" in ask(repo, "events", "latest").out
    assert "wrote" in ask(repo, "logs", "latest", "ws-done", "--follow").out


def test_diff_shows_what_was_committed(repo: Path) -> None:
    """The diff of a done workstream is there, that of a failed one is empty."""
    assert "+good" in ask(repo, "diff", "latest", "ws-mended").out
    assert "1 file changed" in ask(repo, "diff", "latest", "ws-mended", "--stat").out
    assert ask(repo, "diff", "latest", "ws-failed", "--json").json["diff"] == ""
    assert "committed nothing" in ask(repo, "diff", "latest", "ws-failed").err


def test_reports_in_every_form(repo: Path) -> None:
    """Text, Markdown, JSON and JUnit tell the same; JSON has the figures of the run, too, and JUnit
    has them in a suite of their own."""
    assert "Run run-one: failed" in ask(repo, "report", "latest").out
    assert "| `ws-mended` | done | 1 |" in ask(repo, "report", "latest", "--format", "md").out
    document = ask(repo, "report", "latest", "--json").json
    assert len(document.pop("figures")["workstreams"]) == 4
    assert document.pop("metrics")["run_id"] == "run-one"
    assert document == json.loads((repo / "result.json").read_text(encoding="utf-8"))
    top = ET.fromstring(ask(repo, "report", "latest", "--format", "junit").out)  # noqa: S314
    assert len(top.findall("testsuite")) == 5


def test_an_ended_run_is_not_run_again(repo: Path) -> None:
    """--run-id of an ended run, and its resumption, are refused."""
    assert child("run", "ws-done", "--run-id", "run-one", cwd=repo).code == 2
    said = child("resume", "run-one", "--json", cwd=repo)
    assert said.code == 2
    assert "has ended" in said.json["error"]["message"]


@pytest.mark.parametrize("command", [("status",), ("show",), ("events",), ("report",), ("resume",)])
def test_a_wrong_run_lists_the_known(repo: Path, command: tuple[str, ...]) -> None:
    """Every command that takes RUN answers a wrong one with those that there are."""
    said = child(*command, "nonsense", cwd=repo)
    assert said.code == 2
    assert "known: run-one" in said.err


def test_a_done_dependency_must_be_part_of_the_base(repo: Path) -> None:
    """What an earlier run did on its branch alone does not count as done; --with-deps runs it."""
    write_bundles(repo, bundle("ws-next", depends_on=["ws-done"]))
    said = child("run", "ws-next", cwd=repo)
    assert said.code == 2
    assert "ws-next needs ws-done" in said.err
    assert "--with-deps" in said.err
    both = ask(repo, "run", "ws-next", "--with-deps", "--json").json
    assert [w["final_status"] for w in both["workstreams"]] == ["done", "done"]

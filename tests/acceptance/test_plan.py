"""`penstock plan` through the command line, on a repository with plans of every dialect."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.cli import Cli, Said, bundle, child, git, write_bundles
from tests.support.plan_files import edit, names
from tests.support.plan_repo import CHECKLIST, SOURCES, make_plan_repository
from tests.support.repos import write
from tests.support.terminal import on_terminal, shown

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = ("PIPELINE_DB_PATH", "PIPELINE_WORKSTREAM_DIR", "PIPELINE_DRY_RUN")
TODO_FILES = ["ws-generated-todo-1.json", "ws-generated-todo-2.json"]
LOST = "# All\n\n- [ ] Think about it\n"
UNKNOWN = {"id": 1, "title": "Edit src/auth.py", "status": "pending", "dependencies": [9]}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, made once."""
    return make_plan_repository(tmp_path_factory.mktemp("plan") / "project")


@pytest.fixture
def cli(
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """The command line in a clone of the repository."""
    folder = tmp_path / "project"
    git(template.parent, "clone", "-q", str(template), str(folder))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return Cli(folder, capsys)


def bundles(cli: Cli, folder: str = "workstreams") -> list[dict[str, Any]]:
    """The bundles that lie in a folder."""
    return [json.loads(path.read_text()) for path in sorted((cli.folder / folder).glob("*.json"))]


def untouched(cli: Cli) -> bool:
    """Tell whether git sees no change, and there is no folder of bundles."""
    return git(cli.folder, "status", "--porcelain") == ""


def counted(said: Said) -> int:
    """Return how many items a plan has, which its parts must add up to."""
    parts = dict(said.json["items"])
    total: int = parts.pop("total")
    assert total == sum(parts.values())
    return total


# -- from a source to bundles ----------------------------------------------------------------
@pytest.mark.parametrize("dialect", SOURCES)
def test_every_dialect_becomes_bundles_that_are_valid(cli: Cli, dialect: str) -> None:
    """A source is told by its shape, and what is written passes `penstock validate`."""
    said = cli("plan", SOURCES[dialect])
    assert said.code == 0, said.err
    assert {one["metadata"]["plan"]["dialect"] for one in bundles(cli)} == {dialect}
    assert cli("validate").code == 0


@pytest.mark.parametrize("dialect", SOURCES)
def test_the_same_plan_gives_the_same_bytes(cli: Cli, dialect: str) -> None:
    """Planned again, nothing is written; planned into another folder, it is the same."""
    cli("plan", SOURCES[dialect])
    again = cli("plan", SOURCES[dialect])
    assert "unchanged." in again.out
    cli("plan", SOURCES[dialect], "--output-dir", "other")
    first, second = cli.folder / "workstreams", cli.folder / "other"
    assert {n: (first / n).read_bytes() for n in names(first)} == {
        n: (second / n).read_bytes() for n in names(second)
    }


def test_all_of_them_at_once(cli: Cli) -> None:
    """Several sources make one plan, whose bundles go together."""
    said = cli("plan", *SOURCES.values(), "--json")
    assert said.code == 0, said.err
    assert counted(said) == 4 + 3 + 1 + 3 + 2
    assert len(said.json["sources"]) == 5
    assert cli("validate").code == 0


def test_counts_and_evidence_are_printed(cli: Cli) -> None:
    """What became of each item, and why each file is in a bundle, with file and line."""
    said = cli("plan", CHECKLIST, "--explain")
    assert "4 items = 2 planned + 1 done + 1 without a scope + 0 skipped" in said.out
    assert "src/auth.py: named" in said.out
    assert "todo.md:5" in said.out
    assert "  todo.md:11 Ask Eve what else there is" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_bundle_remembers_its_source(cli: Cli) -> None:
    """Dialect, file, hash, and the line of each item."""
    cli("plan", CHECKLIST)
    trace = bundles(cli)[0]["metadata"]["plan"]
    assert (trace["dialect"], trace["path"]) == ("checklist", CHECKLIST)
    assert [item["place"]["line"] for item in trace["items"]] == [5]
    assert len(trace["files"][CHECKLIST]) == 64


def test_openspec_scenarios_become_acceptance(cli: Cli) -> None:
    """The deltas of a change say how its work is judged."""
    cli("plan", "add-sessions")
    accepted = "\n".join(line for one in bundles(cli) for line in one.get("acceptance_tests", ()))
    assert "comes back" in accepted
    assert {one["openspec_change"] for one in bundles(cli)} == {"add-sessions"}


def test_what_the_openspec_program_sees_otherwise_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is installed; the bundles do not depend on it."""
    cli("plan", "add-sessions", "--output-dir", "without")
    program = tmp_path / "bin" / "openspec"
    program.parent.mkdir()
    listed = {"changes": [{"name": "add-sessions", "completedTasks": 0, "totalTasks": 9}]}
    program.write_text(f"#!/bin/sh\necho '{json.dumps(listed)}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    said = cli("plan", "add-sessions", "--output-dir", "with")
    assert said.code == 0
    assert "[openspec-differs]" in " ".join(said.err.split())
    assert bundles(cli, "with") == bundles(cli, "without")


def test_standard_input_is_a_source(cli: Cli) -> None:
    """A checklist may be piped in."""
    said = child("plan", "-", cwd=cli.folder, stdin="- [ ] Edit src/auth.py\n")
    assert said.code == 0, said.err
    assert bundles(cli)[0]["files_scope"] == ["src/auth.py"]


def test_it_runs(cli: Cli) -> None:
    """What was planned can be run, here with turns for the scripted tool."""
    cli("plan", CHECKLIST)
    for name, one in zip(TODO_FILES, bundles(cli), strict=True):
        turn = {"edits": dict.fromkeys(one["files_scope"], "A = 2\n")}
        metadata = {**one["metadata"], "scripted": [turn]}
        edit(cli.folder / "workstreams" / name, metadata=metadata, acceptance_tests=[])
    said = cli("run", "--all", "--json", "--no-preflight")
    assert said.code == 0, said.err
    assert {one["final_status"] for one in said.json["workstreams"]} == {"done"}


def test_a_symbol_leads_to_its_file(cli: Cli) -> None:
    """A name that is defined in one file is enough; the index is kept where git does not look."""
    write(cli.folder, {"names.md": "- [ ] Let `SessionStore` forget\n"})
    assert cli("plan", "names.md").code == 0
    assert bundles(cli)[0]["files_scope"] == ["src/store.py"]
    assert (cli.folder / "state" / "cache").is_dir()
    assert "state" not in git(cli.folder, "status", "--porcelain")


def test_where_our_folder_would_show_no_index_is_kept(cli: Cli) -> None:
    """A repository that tracks files of its own in state/ is planned all the same."""
    write(cli.folder, {"names.md": "- [ ] Let `SessionStore` forget\n", "state/a.txt": "x"})
    git(cli.folder, "add", "state")
    assert cli("plan", "names.md").code == 0
    assert bundles(cli)[0]["files_scope"] == ["src/store.py"]
    assert names(cli.folder / "state") == ["a.txt"]


# -- looking only ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "looking", [("--dry-run",), ("--check",), ("--graph", "mermaid"), ("--dry-run", "--json")]
)
def test_looking_writes_nothing(cli: Cli, looking: tuple[str, ...]) -> None:
    """No bundle is written, and git sees nothing."""
    said = cli("plan", CHECKLIST, *looking)
    assert said.code == 0, said.err
    assert untouched(cli)


def test_without_a_source_the_plans_are_listed(cli: Cli) -> None:
    """With their dialects, as text and as JSON."""
    said = cli("plan")
    assert (said.code, "specs/001-search" in said.out) == (0, True)
    listed = cli("plan", "--json").json["plans"]
    assert {one["dialect"] for one in listed} >= {"openspec", "ccpm", "spec-kit", "task-master"}


def test_where_there_are_no_plans_it_is_told_what_one_is(cli: Cli, tmp_path: Path) -> None:
    """A repository without any is no error."""
    empty = tmp_path / "empty"
    empty.mkdir()
    said = child("plan", cwd=empty)
    assert said.code == 0
    assert "penstock plan FILE" in said.out


def test_a_check_needs_no_tool(cli: Cli) -> None:
    """Somebody who never runs anything gets the report."""
    (cli.folder / "config" / "pipeline.yaml").unlink()
    assert cli("plan", CHECKLIST, "--check").code == 0
    said = cli("plan", CHECKLIST)
    assert said.code == 2
    assert "--tool" in said.err
    assert cli("plan", CHECKLIST, "--tool", "aider").code == 0
    assert {one["tool"] for one in bundles(cli)} == {"aider"}


def test_a_check_without_a_source_looks_at_all(cli: Cli) -> None:
    """Every plan of the repository is looked at."""
    said = cli("plan", "--check", "--json")
    assert {one["dialect"] for one in said.json["sources"]} >= {"openspec", "ccpm", "spec-kit"}


def test_a_false_claim_of_parallel_work_is_a_contradiction(cli: Cli) -> None:
    """Two tasks marked [P] on one file: the check names the file and ends with 1."""
    said = cli("plan", "001-search", "--check")
    assert said.code == 1
    assert "src/store.py" in said.out
    assert "specs/001-search/tasks.md:10" in said.out


@pytest.mark.parametrize("looking", ["--check", "--dry-run", "--no-input"])
def test_the_json_is_as_its_schema_says(cli: Cli, looking: str) -> None:
    """Every plan is a document of the kept schema, and has all of its keys and no other."""
    schema = json.loads((ROOT / "schema" / "plan-result.schema.json").read_text())
    said = cli("plan", *SOURCES.values(), looking, "--json")
    assert jsonschema_rs.is_valid(schema, said.json)
    assert said.json.keys() == schema["$defs"]["PlanDocument"]["properties"].keys()
    assert (said.json["written"] is None) == (looking != "--no-input")


# -- contradictions --------------------------------------------------------------------------
@pytest.fixture
def circular(cli: Cli) -> str:
    """A task list with a dependency on what is not there."""
    write(cli.folder, {"tasks.json": json.dumps({"tasks": [UNKNOWN]})})
    return "tasks.json"


def test_what_contradicts_itself_is_not_written(cli: Cli, circular: str) -> None:
    """The error has its file and line, and --lenient plans all the same."""
    said = cli("plan", circular)
    assert said.code == 1
    assert "tasks.json:1" in said.err
    assert "--lenient" in said.err
    assert not (cli.folder / "workstreams").exists()
    assert cli("plan", circular, "--lenient").code == 0
    assert len(bundles(cli)) == 1


def test_nothing_but_items_without_a_scope_is_a_failure(cli: Cli) -> None:
    """There is nothing to run, and a script must not take it for done."""
    write(cli.folder, {"lost.md": LOST})
    said = cli("plan", "lost.md")
    assert (said.code, bundles(cli)) == (1, [])
    assert "--files-scope" in said.out
    assert cli("plan", "lost.md", "--files-scope", "src/auth.py").code == 0
    assert bundles(cli)[0]["files_scope"] == ["src/auth.py"]


def test_all_done_is_nothing_to_do(cli: Cli) -> None:
    """That is success."""
    write(cli.folder, {"done.md": "- [x] Edit src/auth.py\n"})
    said = cli("plan", "done.md")
    assert (said.code, "There is nothing to do." in said.out) == (0, True)


# -- the folder ------------------------------------------------------------------------------
def test_stale_bundles_of_the_same_source_go(cli: Cli) -> None:
    """What was ticked meanwhile is no longer there; others' bundles stay."""
    write_bundles(cli.folder, bundle("ws-mine"))
    cli("plan", CHECKLIST)
    text = (cli.folder / CHECKLIST).read_text().replace("- [ ] Cover", "- [x] Cover")
    (cli.folder / CHECKLIST).write_text(text)
    said = cli("plan", CHECKLIST)
    assert "1 removed" in said.out
    assert names(cli.folder / "workstreams") == [TODO_FILES[0], "ws-mine.json"]


def test_an_edited_bundle_is_not_written_over(cli: Cli) -> None:
    """It stops the writing and is named; --force replaces it."""
    cli("plan", CHECKLIST)
    edit(cli.folder / "workstreams" / TODO_FILES[0], max_cost_usd=1)
    (cli.folder / CHECKLIST).write_text("- [ ] Rework src/auth.py\n")
    said = cli("plan", CHECKLIST)
    assert said.code == 2
    assert TODO_FILES[0] in said.err
    assert cli("plan", CHECKLIST, "--force").code == 0
    assert len(bundles(cli)) == 1


def test_a_bundle_of_ones_own_on_the_same_file_is_kept_apart(cli: Cli) -> None:
    """The two get an order or a group, so that the folder stays valid."""
    write_bundles(cli.folder, bundle("ws-mine", files_scope=["src/auth.py"]))
    said = cli("plan", CHECKLIST)
    assert said.code == 0
    assert "ws-mine" in said.err
    assert cli("validate").code == 0


def test_a_folder_that_cannot_be_written_is_told(cli: Cli) -> None:
    """A file is where the folder should be."""
    write(cli.folder, {"workstreams": "x"})
    said = cli("plan", CHECKLIST)
    assert said.code == 2
    assert "workstreams" in said.err
    assert "Hint" in said.err or "cannot be made" in said.err


def test_what_is_wrong_in_the_folder_is_told(cli: Cli) -> None:
    """Bundles that are wrong already keep the new ones from running: it is said where to look."""
    write_bundles(cli.folder, bundle("ws-mine", depends_on=["ws-gone"]))
    said = cli("plan", CHECKLIST)
    assert said.code == 0
    assert "penstock validate" in said.err


def test_the_environment_names_the_folder(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """PIPELINE_WORKSTREAM_DIR is where bundles are."""
    monkeypatch.setenv("PIPELINE_WORKSTREAM_DIR", str(cli.folder / "elsewhere"))
    cli("plan", CHECKLIST)
    assert names(cli.folder / "elsewhere") == TODO_FILES


# -- options ---------------------------------------------------------------------------------
def test_options_come_from_all_sides(cli: Cli) -> None:
    """The command line goes before pipeline.yaml."""
    (cli.folder / "config" / "pipeline.yaml").write_text(
        "default_tool: scripted\nplan: {max_tasks: 7, max_files: 8}\n"
    )
    options = '{"max_files": 9, "group_by": "all"}'
    said = cli("plan", CHECKLIST, "--options", options, "--group-by", "item", "--json")
    assert said.json["options"]["max_tasks"] == 7
    assert said.json["options"]["max_files"] == 9
    assert said.json["options"]["group_by"] == "item"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ('{"max_file": 3}', "max_file"),
        ('{"max_files": 0}', "max_files"),
        ('{"group_by": "moon"}', "moon"),
        ('{"threshold": 2}', "threshold"),
    ],
)
def test_wrong_options_are_named(cli: Cli, options: str, told: str) -> None:
    """A mistake is a mistake of usage, and says what is known."""
    said = cli("plan", CHECKLIST, "--options", options)
    assert said.code == 2
    assert told in said.err


@pytest.mark.parametrize("word", ["nothing", "src/nothing.md", "", "src"])
def test_what_is_no_plan_is_told_with_what_there_is(cli: Cli, word: str) -> None:
    """The plans of the repository are named."""
    said = cli("plan", word)
    assert said.code == 2
    assert "openspec/changes/add-sessions" in said.err


# -- graphs ----------------------------------------------------------------------------------
def test_a_source_can_be_drawn_before_it_is_run(cli: Cli) -> None:
    """By name or path, in every format, with `graph` as with `plan --graph`."""
    said = cli("graph", "add-sessions")
    assert said.code == 0, said.err
    assert "ws-add-sessions" in said.out
    assert cli("graph", CHECKLIST, "--format", "mermaid").out.startswith("flowchart LR")
    assert cli("plan", CHECKLIST, "--graph", "dot").out.startswith("digraph")
    assert len(cli("graph", CHECKLIST, "--json").json["workstreams"]) == 2
    assert untouched(cli)


def test_standard_input_can_be_drawn(cli: Cli) -> None:
    """As any other source."""
    said = child("graph", "-", cwd=cli.folder, stdin="- [ ] Edit src/auth.py\n")
    assert (said.code, said.out.startswith("-: 1 workstream")) == (0, True)


def test_a_folder_of_bundles_stays_one(cli: Cli) -> None:
    """A graph of bundles is drawn as ever, also beside plans."""
    cli("plan", CHECKLIST)
    assert cli("graph", "workstreams").out.startswith("workstreams: 2 workstreams")
    assert cli("graph", f"workstreams/{TODO_FILES[0]}").out.count("ws-todo-server") >= 1
    said = cli("graph", CHECKLIST, "--dir", "workstreams")
    assert (said.code, "--dir" in said.err) == (2, True)
    assert cli("graph", "nothing").code == 2


# -- other ways in ---------------------------------------------------------------------------
def test_the_documented_script_does_the_same(cli: Cli) -> None:
    """`generate_workstreams.py --spec-id` writes what `penstock plan` writes."""
    script = [sys.executable, str(ROOT / "scripts" / "generate_workstreams.py")]
    options = ("--output-dir", "made", "--options", '{"group_by": "language"}')
    said = child("--spec-id", "add-sessions", *options, cwd=cli.folder, program=script)
    assert said.code == 0, said.err
    assert names(cli.folder / "made")[0] == "ws-generated-add-sessions-1.json"
    assert child(cwd=cli.folder, program=[*script, "--spec-id", "none"]).code == 2


def test_outside_of_a_repository_a_folder_will_do(tmp_path: Path) -> None:
    """Planning needs no git: the files around are the terrain."""
    write(tmp_path, {"src/a.py": "A = 1\n", "todo.md": "- [ ] Edit src/a.py\n"})
    said = child("plan", "todo.md", "--tool", "aider", cwd=tmp_path)
    assert said.code == 0, said.err
    assert names(tmp_path / "workstreams") == ["ws-generated-todo-1.json"]
    assert child("plan", "todo.md", "--graph", "text", cwd=tmp_path).code == 0


def test_a_person_at_a_terminal_is_asked(cli: Cli) -> None:
    """The answer becomes scope; what is not there is to be made."""
    write(cli.folder, {"lost.md": LOST})
    answer = "src/auth.py, src/new.py\r"
    code, text = on_terminal("plan", "lost.md", cwd=cli.folder, keys=answer, after="\nfiles")
    assert code == 0, text
    assert max(map(len, shown(text))) <= 80
    (made,) = bundles(cli)
    assert made["files_create"] == ["src/new.py"]
    assert "src/auth.py" in made["files_scope"]


def test_nobody_is_asked_who_does_not_want_it(cli: Cli) -> None:
    """With --no-input the items stay without a scope."""
    write(cli.folder, {"lost.md": LOST})
    code, text = on_terminal("plan", "lost.md", "--no-input", cwd=cli.folder)
    assert code == 1
    assert "Without a scope" in text


def test_two_plans_of_one_name_go_together(cli: Cli) -> None:
    """The second gets names of its own, and neither takes the other's away."""
    write(
        cli.folder,
        {"a/work.md": "- [ ] Edit src/auth.py\n", "b/work.md": "- [ ] Edit src/store.py\n"},
    )
    for path in ("a/work.md", "b/work.md", "a/work.md", "b/work.md"):
        assert cli("plan", path).code == 0
    assert names(cli.folder / "workstreams") == [
        "ws-generated-work-1.json", "ws-generated-work-2-1.json"
    ]  # fmt: skip
    assert cli("validate").code == 0


def test_sketches_are_written_on_demand(cli: Cli) -> None:
    """A placeholder for what has no scope: no run takes it, and it goes when it is done."""
    options = ("--options", '{"sketch": true}')
    cli("plan", CHECKLIST, *options)
    sketch = "sketches/ws-generated-placeholder-todo-1.json"
    assert names(cli.folder / "workstreams") == [sketch, *TODO_FILES]
    assert cli("plan", CHECKLIST, *options).out.count("3 unchanged") == 1
    assert cli("validate").out.startswith("2 workstream bundles")
    cli("plan", CHECKLIST)
    assert names(cli.folder / "workstreams") == TODO_FILES

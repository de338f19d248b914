"""`penstock errors` and its documented script, with the real error engine and a linter of the
repository's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import penstock
from penstock.model.error_report import AttemptReport
from penstock.model.escalation import EscalationContext
from tests.support.cli import Cli, Said, child
from tests.support.pipeline import Project
from tests.support.repos import write

TOP = Path(__file__).parents[2]
SCRIPT = (sys.executable, str(TOP / "scripts" / "error_pipeline_cli.py"))
IDS = ("--run-id", "r", "--ws-id", "w")
LINT = """\
import re, sys
found = 0
for path in sys.argv[1:]:
    for number, line in enumerate(open(path), 1):
        for word in re.findall("bad|meh", line):
            found += 1
            print(f"{path}:{number}: {word} word")
sys.exit(bool(found))
"""
FIX = """\
import pathlib, sys
late = [p for p in map(pathlib.Path, sys.argv[2:]) if "late" in p.read_text()]
for path in late:
    if sys.argv[1] == "fix":
        path.write_text(path.read_text().replace("late", "soon"))
    else:
        print(path)
sys.exit(bool(late) and sys.argv[1] == "check")
"""
PATTERN = r"(?P<path>[^:]+):(?P<line>\d+): (?P<code>\w+) (?P<message>.+)"
GOOD = "open('a.words', 'w').write('good')\n"


def manifest(plugin_id: str, program: Path, **more: Any) -> str:
    """Return the manifest of a program in Python that looks at .words files."""
    tool = {"command": sys.executable, "version_arguments": ["--version"], **more.pop("tool")}
    tool["arguments"] = [str(program), *tool.get("arguments", [])]
    if "fix_arguments" in tool:
        tool["fix_arguments"] = [str(program), *tool["fix_arguments"]]
    return json.dumps(
        {"plugin_id": plugin_id, "name": plugin_id, "file_extensions": ["words"], "tool": tool,
         **more}
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with a linter, a fixer and three agents of its own, AIM off."""
    project = Project(tmp_path / "project")
    lint, fix = tmp_path / "lint_words.py", tmp_path / "fix_words.py"
    lint.write_text(LINT)
    fix.write_text(FIX)
    words = manifest("words", lint, tool={}, output={
        "reader": "lines", "pattern": PATTERN, "severity": "error", "category": "syntax",
        "severities": {"meh": "warning"}, "categories": {"meh": "style"},
    })  # fmt: skip
    late = manifest("late_fix", fix, kind="fixer", output={"reader": "listed"},
                    tool={"arguments": ["check"], "fix_arguments": ["fix"]})  # fmt: skip
    agents = {"aider": {"tool": "first"}, "codex": {"tool": "second"}, "claude": {"tool": "agent"}}
    write(project.root, {
        "config/error_plugins/words/manifest.json": words,
        "config/error_plugins/late_fix/manifest.json": late,
        "config/agent_profiles.json": json.dumps({"agents": agents}),
        "config/aim_config.json": json.dumps({"version": "1", "enable_aim": False}),
        "a.words": "bad\nlate\n",
    })  # fmt: skip
    for name in ("first", "second", "agent"):
        project.agent("pass", name)
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return project


@pytest.fixture
def cli(project: Project, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Commands in the repository."""
    return Cli(project.root, capsys)


def line(state: str, attempt: int, agent: str, final: str = "none") -> str:
    """Return the documented line."""
    return f"state={state} attempt={attempt} agent={agent} final={final}\n"


def tick(cli: Cli, *more: str) -> Said:
    """Tick once."""
    return cli("errors", "tick", *IDS, *more)


def test_ticks_print_the_documented_line(cli: Cli, project: Project) -> None:
    """One state each, until it is mended; then nothing more is done."""
    project.agent(GOOD, "second")
    wanted = [
        line("S0_BASELINE_CHECK", 0, "none"), line("S0_MECHANICAL_AUTOFIX", 0, "none"),
        line("S0_MECHANICAL_RECHECK", 0, "none"), line("S1_AIDER_FIX", 1, "aider"),
        line("S1_AIDER_RECHECK", 1, "aider"), line("S2_CODEX_FIX", 2, "codex"),
        line("S2_CODEX_RECHECK", 2, "codex"), *[line("S_SUCCESS", 2, "codex", "success")] * 2,
    ]  # fmt: skip
    said = [tick(cli, "--file", "a.words") for _ in wanted]
    assert [one.out for one in said] == wanted
    assert {one.code for one in said} == {0}
    assert (project.root / "a.words").read_text() == "good"


def test_quarantine_is_exit_code_1(cli: Cli) -> None:
    """Now, and each time it is asked again."""
    said = cli("errors", "run", *IDS, "--file", "a.words")
    assert said.code == 1
    assert line("S4_QUARANTINE", 3, "claude", "quarantined") in said.out
    assert "state/quarantine/r_w/" in said.out
    again = tick(cli)
    assert (again.code, again.out) == (1, line("S4_QUARANTINE", 3, "claude", "quarantined"))


def test_an_infrastructure_failure_is_exit_code_1_and_says_why(cli: Cli, project: Project) -> None:
    """And what to do then."""
    project.agent("import sys; print('401 unauthorized', file=sys.stderr); sys.exit(1)", "first")
    said = cli("errors", "run", *IDS, "--file", "a.words")
    assert (said.code, line("S_ERROR_INFRA", 1, "aider", "infra_failure") in said.out) == (1, True)
    assert "Mend that, then: penstock errors run --run-id r --ws-id w --restart" in said.out
    assert "aider could not work" in tick(cli).err


@pytest.mark.parametrize(
    "more",
    [
        (), ("--file",), ("--file", "gone.words"), ("--file", "../x"), ("--file", "tools"),
        ("--nonsense",), ("--without", "nobody", "--file", "a.words"),
    ],
)  # fmt: skip
def test_mistakes_are_exit_code_2(cli: Cli, more: tuple[str, ...]) -> None:
    """And nothing is begun."""
    assert tick(cli, *more).code == 2
    assert cli("errors", "list").out == "There are no error pipelines yet.\n"


def test_a_wrong_file_of_agents_is_exit_code_2(cli: Cli, project: Project) -> None:
    """With the key of each mistake."""
    wrong = {"agents": {"aider": {"modell": "x", "timeout_seconds": 0}}}
    write(project.root, {"config/agent_profiles.json": json.dumps(wrong)})
    said = tick(cli, "--file", "a.words")
    assert said.code == 2
    assert "agents.aider" in said.err
    assert "did you mean model?" in said.err


def test_an_option_takes_several_files(cli: Cli, project: Project) -> None:
    """Up to the next option, from the folder one stands in, as documented."""
    write(project.root, {"sub/b.words": "fine\n", "c.py": "x = 1\n", "d.ps1": "1\n"})
    args = ("--file", "a.words", "sub/b.words", "--py", "c.py", "--ps=d.ps1", "--no-autofix")
    context = tick(cli, *args, "--json").json
    assert context["other_files"] == ["a.words", "sub/b.words"]
    assert (context["python_files"], context["powershell_files"]) == (["c.py"], ["d.ps1"])
    assert context["enable_mechanical_autofix"] is False


def test_files_that_come_later_are_told_to_be_too_late(cli: Cli, project: Project) -> None:
    """It goes on with those that it began with."""
    write(project.root, {"b.words": "bad\n"})
    tick(cli, "--file", "a.words")
    said = tick(cli, "--file", "b.words")
    assert said.code == 0
    assert "It goes on with the files that it began with: a.words" in said.err


def test_run_tells_its_progress(cli: Cli, project: Project) -> None:
    """Each state, each check, each attempt."""
    project.agent(GOOD, "first")
    said = cli("errors", "run", *IDS, "--file", "a.words")
    assert said.code == 0
    lines = said.out.splitlines()
    assert "  check 0: issues=2 errors=1 warnings=1" in lines
    assert "  check 0b: issues=1 errors=1 warnings=0 (0 new, 1 fixed, 1 unchanged)" in lines
    assert "  attempt 1: edited" in lines
    assert "The checks pass (1 file)." in lines
    assert "Not installed, so not asked: codespell" in said.out


def test_run_without_strict_lets_style_pass(cli: Cli, project: Project) -> None:
    """The warning stays."""
    write(project.root, {"a.words": "meh\n"})
    assert cli("errors", "run", *IDS, "--no-strict", "--file", "a.words").code == 0
    assert (project.root / "a.words").read_text() == "meh\n"


def test_show_and_list(cli: Cli) -> None:
    """What there is, with the attempts and the issues that are left."""
    cli("errors", "run", *IDS, "--file", "a.words")
    shown, listed = cli("errors", "show", *IDS), cli("errors", "list")
    assert "attempt 2: codex (second): no change" in shown.out
    assert "a.words:1: bad word" in shown.out
    assert listed.out.splitlines()[1].split()[:5] == [
        "r", "w", "S4_QUARANTINE", "claude", "quarantined",
    ]  # fmt: skip
    assert cli("errors", "list", "--json").json[0]["final_status"] == "quarantined"


def test_show_of_none_is_exit_code_2(cli: Cli) -> None:
    """And names the command that lists them."""
    said = cli("errors", "show", *IDS)
    assert (said.code, "penstock errors list" in said.err) == (2, True)


def test_json_is_the_context(cli: Cli, project: Project) -> None:
    """Of tick, run and show, as the types have it."""
    first = tick(cli, "--file", "a.words", "--json").json
    assert msgspec.convert(first, EscalationContext).current_state == "S0_BASELINE_CHECK"
    project.agent(GOOD, "first")
    end = msgspec.convert(cli("errors", "run", *IDS, "--json").json, EscalationContext)
    assert (end.final_status, end) == (
        "success", msgspec.convert(cli("errors", "show", *IDS, "--json").json, EscalationContext),
    )  # fmt: skip


def test_the_documented_script(project: Project) -> None:
    """Ticks as `penstock errors tick` does, with its exit codes."""
    said = child(*IDS, "--file", "a.words", cwd=project.root, program=SCRIPT)
    assert (said.code, said.out) == (0, line("S0_BASELINE_CHECK", 0, "none"))
    assert child("--run-id", "r", cwd=project.root, program=SCRIPT).code == 2


def test_the_documented_function(project: Project) -> None:
    """tick(context) returns the context that follows, and the end when it has ended."""
    project.agent(GOOD, "first")
    context = penstock.EscalationContext(
        run_id="r", workstream_id="w", other_files=("a.words",), enable_mechanical_autofix=False
    )
    seen = []
    while context.final_status is None:
        context = penstock.tick(context)
        seen.append(context.current_state.name)
    assert seen == ["BASELINE_CHECK", "AIDER_FIX", "AIDER_RECHECK", "SUCCESS"]
    assert penstock.tick({"run_id": "r", "workstream_id": "w"}) == context


def test_a_context_that_is_none_is_refused(project: Project) -> None:
    """With what is wrong with it."""
    with pytest.raises(penstock.PenstockError, match="no context of an error pipeline"):
        penstock.tick({"run_id": "r"})
    assert project.root.is_dir()


def test_escalate_goes_to_the_end(project: Project) -> None:
    """In one call, by the endings of the files."""
    project.agent(GOOD, "first")
    heard: list[str] = []
    end = penstock.escalate("r", "w", ["a.words"], on_tick=lambda c: heard.append(c.current_state))
    assert (end.final_status, heard[-1], end.other_files) == ("success", "S_SUCCESS", ("a.words",))


def test_reports_can_be_read_as_their_type(cli: Cli, project: Project) -> None:
    """What is on file is an AttemptReport, with the toolchain that was used."""
    cli("errors", "run", *IDS, "--file", "a.words")
    place = project.root / ".state/error_pipeline/r/w/error_reports/error_report_attempt_0.json"
    report = msgspec.json.decode(place.read_bytes(), type=AttemptReport)
    assert "words" in report.toolchain
    assert {issue.category.value for issue in report.issues} == {"syntax", "other"}
    assert all(issue.fingerprint for issue in report.issues)

"""The escalation pipeline on files of a repository: its way through the states, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.escalation.ports import Seed
from penstock.errors import Interrupted, JournalError, UsageError
from penstock.model.escalation import EscalationContext
from penstock.model.events import EventType
from penstock.process.api import Stop
from tests.support.escalation import BROKEN, FILE, GOOD, RUN, WS, Ladder, edit, make_ladder, states
from tests.support.repos import write

UGLY, LOOSE = "x = 1  # ugly\n", "x = 1  # loose\n"


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """A project with a file to mend."""
    return make_ladder(tmp_path, monkeypatch)


# -- the way through the states ------------------------------------------------------------------
def test_a_clean_file_passes_at_once(ladder: Ladder) -> None:
    """Nobody is asked, and nothing is changed."""
    ladder.file(GOOD)
    seen = ladder.run()
    assert states(seen) == ["BASELINE_CHECK", "SUCCESS"]
    assert (seen[-1].final_status, seen[-1].ai_attempts, ladder.text()) == ("success", (), GOOD)


def test_fixers_may_be_enough(ladder: Ladder) -> None:
    """They really rewrite the file, and the report 0b counts it."""
    ladder.file(LOOSE)
    seen = ladder.run()
    assert states(seen)[1:] == ["MECHANICAL_AUTOFIX", "MECHANICAL_RECHECK", "SUCCESS"]
    assert ladder.text() == "x = 1  # tight\n"
    assert (seen[-1].mechanical_fix_applied, seen[-1].auto_fixed) == (True, (FILE,))
    assert ladder.report("0b")["summary"]["auto_fixed"] == 1


def test_each_tier_is_asked_in_turn(ladder: Ladder) -> None:
    """What one leaves better is the next one's start; claude mends it."""
    ladder.file("broken\nuntyped\nugly\n")
    ladder.agents(edit("untyped\nugly\n"), edit("ugly\n"), edit(GOOD))
    seen = ladder.run()
    assert states(seen)[3:] == [
        "AIDER_FIX", "AIDER_RECHECK", "CODEX_FIX", "CODEX_RECHECK", "CLAUDE_FIX", "CLAUDE_RECHECK",
        "SUCCESS",
    ]  # fmt: skip
    assert [a.tool_id for a in seen[-1].ai_attempts] == ["first", "second", "agent"]
    assert ladder.text() == GOOD


@pytest.mark.parametrize("only", ["aider", "codex", "claude"])
def test_disabled_tiers_are_passed_over(ladder: Ladder, only: str) -> None:
    """The one that is left is asked, and its number is that of its tier."""
    ladder.file(BROKEN)
    off = {name: {"enabled": False} for name in ("aider", "codex", "claude") if name != only}
    ladder.profiles(agents=off, enable_mechanical_autofix=False)
    ladder.agents(edit(GOOD), edit(GOOD), edit(GOOD))
    seen = ladder.run()
    number = ["aider", "codex", "claude"].index(only) + 1
    assert states(seen)[1] == f"{only.upper()}_FIX"
    assert (seen[-1].attempt_number, seen[-1].current_agent, seen[-1].final_status) == (
        number, only, "success",
    )  # fmt: skip


def test_an_agent_may_try_more_than_once(ladder: Ladder) -> None:
    """Its second attempt has the letter b, and the prompt tells what became of the first."""
    ladder.file(BROKEN)
    ladder.profiles(agents={"aider": {"max_attempts": 2}})
    ladder.agents(edit("x = 2  # broken\n"), edit(GOOD))
    seen = ladder.run()
    assert [a.label for a in seen[-1].ai_attempts] == ["1", "1b", "2"]
    assert "AIDER_FIX" in states(seen)[5:6]
    assert ladder.report("1b")["attempt_number"] == 1
    assert "- 1, aider: edited" in ladder.prompt("1b")


def test_the_total_bounds_all_agents_together(ladder: Ladder) -> None:
    """Then the rest of the ladder is not climbed."""
    ladder.file(BROKEN)
    ladder.profiles(max_total_attempts=2)
    seen = ladder.run()
    assert [a.agent for a in seen[-1].ai_attempts] == ["aider", "codex"]
    assert seen[-1].final_status == "quarantined"


def test_without_strict_style_is_let_pass(ladder: Ladder) -> None:
    """No hard fail is left, so nobody is asked."""
    ladder.file(UGLY)
    seen = ladder.run(Seed(python_files=(FILE,), strict=False))
    assert states(seen) == ["BASELINE_CHECK", "SUCCESS"]
    assert ladder.report("0")["summary"]["style_only"] is True


def test_without_strict_a_type_error_is_not(ladder: Ladder) -> None:
    """Syntax, types and tests are hard."""
    ladder.file("untyped\n")
    ladder.agents(edit(UGLY))
    seen = ladder.run(Seed(python_files=(FILE,), strict=False))
    assert [a.agent for a in seen[-1].ai_attempts] == ["aider"]
    assert seen[-1].final_status == "success"


def test_choices_of_the_seed_beat_the_configuration(ladder: Ladder) -> None:
    """No fixers, and no aider."""
    ladder.file(LOOSE)
    ladder.agents(codex=edit(GOOD))
    seen = ladder.run(Seed(python_files=(FILE,), mechanical=False, without=("aider",)))
    assert states(seen)[:3] == ["BASELINE_CHECK", "CODEX_FIX", "CODEX_RECHECK"]
    assert seen[-1].mechanical_fix_applied is False


# -- infrastructure ------------------------------------------------------------------------------
def failing_agent(kind: str) -> str:
    """Return the program of an agent that cannot work."""
    return {
        "auth": "import sys; print('401 Invalid API key', file=sys.stderr); sys.exit(1)",
        "crash": "import os; open('code.py', 'w').write('half'); os.kill(os.getpid(), 9)",
        "timeout": "import time; time.sleep(60)",
    }[kind]


@pytest.mark.parametrize("kind", ["auth", "crash", "timeout"])
def test_an_agent_that_cannot_work_is_no_failure_of_the_code(ladder: Ladder, kind: str) -> None:
    """The pipeline ends as infra_failure, says why, and leaves the file as it was."""
    ladder.file(BROKEN)
    ladder.profiles(agents={"aider": {"timeout_seconds": 2}})
    ladder.agents(failing_agent(kind))
    end = ladder.run()[-1]
    assert (end.current_state, end.final_status) == ("S_ERROR_INFRA", "infra_failure")
    assert end.infra_reason is not None
    assert end.infra_reason.startswith("aider could not work")
    assert (ladder.text(), end.quarantine_path) == (BROKEN, None)


def test_an_agent_that_is_not_installed_is_none_either(ladder: Ladder) -> None:
    """Through AIM or directly."""
    ladder.file(BROKEN)
    ladder.profiles(agents={"aider": {"tool": "missing"}})
    profile = {"type": "ai", "command": "no-such-program"}
    known = json.loads((ladder.root / "config/tool_profiles.json").read_text())
    write(ladder.root, {"config/tool_profiles.json": json.dumps({**known, "missing": profile})})
    for on in (False, True):
        ladder.aim(on=on)
        end = ladder.run(restart=True)[-1]
        assert end.final_status == "infra_failure"
        assert "no-such-program" in (end.infra_reason or "")


def test_a_checker_that_cannot_work_is_one(ladder: Ladder) -> None:
    """At the baseline, and nobody is asked."""
    ladder.file(BROKEN)
    ladder.checker.infra = "the linter crashed"
    seen = ladder.run()
    assert states(seen) == ["BASELINE_CHECK", "ERROR_INFRA"]
    assert seen[-1].infra_reason == "marks: the linter crashed"


def test_fixers_that_cannot_work_are_one(ladder: Ladder) -> None:
    """The check before them has worked."""
    ladder.file(LOOSE)
    ladder.tick()
    ladder.tick()
    ladder.checker.infra = "the fixer crashed"
    assert ladder.tick().current_state == "S_ERROR_INFRA"


def test_a_file_that_nobody_can_check_is_one(ladder: Ladder) -> None:
    """It has not passed, and no agent could mend that."""
    ladder.file(GOOD)
    ladder.checker.without = (FILE,)
    end = ladder.run()[-1]
    assert (end.final_status, end.infra_reason) == (
        "infra_failure", "code.py: no checker for it",
    )  # fmt: skip


def test_after_an_end_a_tick_changes_nothing(ladder: Ladder) -> None:
    """Not even the file of the context."""
    ladder.file(GOOD)
    end = ladder.run()[-1]
    before = (ladder.folder() / "context.json").stat()
    assert ladder.tick() == end
    assert (ladder.folder() / "context.json").stat().st_mtime_ns == before.st_mtime_ns


def test_a_restart_begins_again_and_keeps_the_earlier_reports(ladder: Ladder) -> None:
    """In a folder of their own."""
    ladder.file(BROKEN)
    ladder.agents(failing_agent("auth"))
    ladder.run()
    ladder.agents(edit(GOOD))
    seen = ladder.run(restart=True)
    assert seen[-1].final_status == "success"
    assert (ladder.folder().with_name(f"{WS}.earlier-1") / "context.json").is_file()


# -- prompts, reports, journal -------------------------------------------------------------------
def test_prompts_tell_what_became_of_the_findings(ladder: Ladder) -> None:
    """New, unchanged and fixed since the check before."""
    ladder.file("broken\nuntyped\n")
    ladder.agents(edit("untyped\nugly\n"))
    for _ in range(8):
        ladder.tick()
    prompt = ladder.prompt("2")
    assert "1 new, 1 fixed, 1 unchanged" in prompt
    new, unchanged, fixed = (prompt.index(word) for word in ("## New", "## Unchanged", "## Fixed"))
    assert "UGLY" in prompt[new:unchanged]
    assert "UNTYPED" in prompt[unchanged:fixed]
    assert "BROKEN" in prompt[fixed:]


def test_reports_have_the_documented_fields(ladder: Ladder) -> None:
    """Of the attempt, its summary and its issues; for the owner's eyes only."""
    ladder.file(BROKEN)
    ladder.run()
    report = ladder.report("1")
    assert {"attempt_number", "ai_agent", "run_id", "workstream_id", "issues", "outputs", "summary",
            "timestamp_utc", "toolchain", "unavailable"} <= report.keys()  # fmt: skip
    assert (report["attempt_number"], report["ai_agent"]) == (1, "aider")
    assert report["outputs"] == [{"input": FILE, "output": FILE}]
    issue = report["issues"][0]
    assert (issue["path"], issue["line"], issue["category"], issue["severity"]) == (
        FILE, 1, "syntax", "error",
    )  # fmt: skip
    place = ladder.folder() / "error_reports" / "error_report_attempt_1.json"
    assert place.stat().st_mode & 0o777 == 0o600


def kept(ladder: Ladder) -> Any:
    """Return the row of the pipeline."""
    with ladder.project.workspace() as workspace:
        return workspace.reader.get_error_context(RUN, WS)


def test_the_journal_has_the_context_after_every_tick(ladder: Ladder) -> None:
    """Its columns and its JSON, and context.json says the same."""
    ladder.file(BROKEN)
    for _ in range(5):
        context = ladder.tick()
        row = kept(ladder)
        assert (row.current_state, row.attempt_number, row.current_agent) == (
            context.current_state, context.attempt_number, context.current_agent,
        )  # fmt: skip
        on_file = json.loads((ladder.folder() / "context.json").read_text())
        assert on_file == row.context
    assert row.context["ai_attempts"][0]["input_error_report_id"] == "error_report_attempt_0b"


def test_events_tell_its_way(ladder: Ladder) -> None:
    """For files of no run too."""
    ladder.file(BROKEN)
    ladder.agents(edit(GOOD))
    seen = ladder.run()
    with ladder.project.workspace() as workspace:
        events = workspace.reader.list_events(limit=-1)
    moves = [e.payload for e in events if e.event_type == EventType.ERROR_PIPELINE_MOVED]
    assert [move["to"] for move in moves] == [context.current_state for context in seen]
    assert {move["workstream_id"] for move in moves} == {WS}
    (fix,) = [e.payload for e in events if e.event_type == EventType.ERROR_PIPELINE_FIX]
    assert (fix["agent"], fix["changed_files"]) == ("aider", [FILE])


def test_quarantine_keeps_the_documented_folder(ladder: Ladder) -> None:
    """Files, reports of all attempts, AI attempts and metadata; the files themselves stay."""
    ladder.file(BROKEN)
    ladder.agents(edit("y  # broken\n"))
    end = ladder.run()[-1]
    folder = ladder.root / "state" / "quarantine" / f"{RUN}_{WS}"
    assert end.quarantine_path == f"state/quarantine/{RUN}_{WS}"
    names = {path.name for path in folder.glob("error_report_attempt_*")}
    assert names == {f"error_report_attempt_{n}.json" for n in ("0", "0b", "1", "2", "3")}
    assert (folder / "final_scripts" / FILE).read_text() == ladder.text() == "y  # broken\n"
    assert (folder / "original_scripts" / FILE).read_text() == BROKEN
    attempts = json.loads((folder / "ai_attempts.json").read_text())
    assert [a["agent"] for a in attempts] == ["aider", "codex", "claude"]
    metadata = json.loads((folder / "metadata.json").read_text())
    assert {"run_id", "workstream_id", "final_status", "tiers", "tools", "versions", "started_at",
            "ended_at"} <= metadata.keys()  # fmt: skip
    assert metadata["final_status"] == "quarantined"


# -- beginning -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.py", "does not exist"),
        ("tools", "is no file"),
        ("../outside.py", "lies outside"),
        ("/etc/passwd", "lies outside"),
        ("a\nb.py", "control character"),
        ("state/x.py", "may not be changed"),
        (".git/config", "may not be changed"),
        ("config/pipeline.yaml", "may not be changed"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(ladder: Ladder, name: str, words: str) -> None:
    """Before anything is saved."""
    ladder.project.configure(protected_paths=["config/"])
    write(ladder.root, {"state/x.py": "x"})
    with pytest.raises(UsageError, match=words):
        ladder.tick(Seed(python_files=(name,)))
    assert kept(ladder) is None


@pytest.mark.parametrize("bad", ["../x", "a/b", "", "..", "a b", "x" * 101])
def test_an_id_that_cannot_name_a_folder_is_refused(ladder: Ladder, bad: str) -> None:
    """Of the run and of the workstream."""
    with ladder.project.workspace() as workspace:
        for run_id, ws_id in ((bad, WS), (RUN, bad)):
            with pytest.raises(UsageError), workspace.error_pipeline(run_id, ws_id):
                pass


def test_without_files_there_is_nothing_to_begin_with(ladder: Ladder) -> None:
    """And the hint says how to name them."""
    with pytest.raises(UsageError, match="has no files to begin with") as raised:
        ladder.tick(Seed())
    assert "--py" in (raised.value.hint or "")


def test_a_context_of_the_documented_function_begins_it(ladder: Ladder) -> None:
    """With empty files it is seeded later, as documented."""
    ladder.file(GOOD)
    with ladder.project.workspace() as workspace:
        empty = {"current_state": "S_INIT", "attempt_number": 0}
        workspace.open_journal().save_error_context(RUN, WS, empty)
    given = EscalationContext(run_id=RUN, workstream_id=WS, python_files=(FILE,))
    with ladder.pipeline() as pipeline:
        assert pipeline.tick(given).current_state == "S0_BASELINE_CHECK"


def test_a_context_that_cannot_be_read_is_said(ladder: Ladder) -> None:
    """With the way to begin again, which works."""
    ladder.file(GOOD)
    with ladder.project.workspace() as workspace:
        odd = {"current_state": "S9_NOWHERE", "python_files": [FILE]}
        workspace.open_journal().save_error_context(RUN, WS, odd)
    with pytest.raises(JournalError, match="cannot be read") as raised:
        ladder.tick()
    assert "--restart" in (raised.value.hint or "")
    assert ladder.run(restart=True)[-1].final_status == "success"


def test_an_interrupted_check_is_made_anew(ladder: Ladder) -> None:
    """The state stays, and so does the file."""
    ladder.file(BROKEN)
    ladder.tick()
    stop = Stop()
    ladder.checker.on_inspect = lambda _: stop.ask()
    with ladder.pipeline(stop) as pipeline, pytest.raises(Interrupted):
        pipeline.tick()
    ladder.checker.on_inspect = None
    assert kept(ladder).current_state == "S0_BASELINE_CHECK"
    assert ladder.tick().current_state == "S0_MECHANICAL_AUTOFIX"


@pytest.mark.parametrize(("there", "left"), [('{"branch": "b"}', "b"), ("no JSON", None)])
def test_what_the_workstreams_own_quarantine_wrote_stays(
    ladder: Ladder, there: str, left: str | None
) -> None:
    """Both write into one folder."""
    write(ladder.root, {f"state/quarantine/{RUN}_{WS}/metadata.json": there})
    ladder.file(BROKEN)
    ladder.run()
    place = ladder.root / "state" / "quarantine" / f"{RUN}_{WS}" / "metadata.json"
    metadata = json.loads(place.read_text())
    assert (metadata.get("branch"), metadata["final_status"]) == (left, "quarantined")

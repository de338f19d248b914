"""What an agent of the escalation pipeline may do, what it sees, and how it is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.escalation.ports import Seed
from penstock.errors import ConfigError
from tests.support.escalation import (
    BROKEN,
    FILE,
    GOOD,
    RUN,
    WS,
    Ladder,
    edit,
    make_ladder,
)
from tests.support.repos import git, write


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """A project with a file to mend."""
    return make_ladder(tmp_path, monkeypatch)


# -- what an agent may do ------------------------------------------------------------------------
OFFENCES = {
    "another file": edit(GOOD) + "open('other.py', 'w').write('x')\n",
    "a tracked file": edit(GOOD) + "open('README.md', 'a').write('x')\n",
    "taken away": "import os; os.remove('code.py')\n",
    "emptied": edit("\n"),
    "a link": "import os; os.remove('code.py'); os.symlink('/etc/passwd', 'code.py')\n",
    "a hook": edit(GOOD) + "import subprocess; subprocess.run(['git', 'config', 'core.hooksPath', "
    "'/tmp'], check=True)\n",
}


@pytest.mark.parametrize("name", sorted(OFFENCES))
def test_what_an_agent_must_not_do_is_undone(ladder: Ladder, name: str) -> None:
    """The attempt is a failed one, the repository is as it was, and the next tier is asked."""
    ladder.file(BROKEN)
    ladder.agents(OFFENCES[name])
    before = git(ladder.root, "status", "--porcelain")
    for _ in range(5):
        seen = ladder.tick()
    (attempt,) = seen.ai_attempts
    assert (attempt.kept, attempt.changed_files) == (False, ())
    assert attempt.notes.startswith("undone: ")
    assert (ladder.text(), git(ladder.root, "status", "--porcelain")) == (BROKEN, before)
    assert ladder.tick().current_agent == "codex"


def test_an_agent_that_leaves_its_tree_is_noticed(ladder: Ladder) -> None:
    """It has a tree of its own; a change of the checkout itself undoes the attempt."""
    ladder.file(BROKEN)
    ladder.agents(edit(GOOD) + f"open({str(ladder.root / 'README.md')!r}, 'a').write('x')\n")
    for _ in range(5):
        seen = ladder.tick()
    assert "the checkout itself changed meanwhile: README.md" in seen.ai_attempts[0].notes
    assert ladder.text() == BROKEN


def test_a_file_that_the_user_edits_meanwhile_is_theirs(ladder: Ladder) -> None:
    """The attempt is given up, the user's text stays."""
    ladder.file(BROKEN)
    mine = f"open({str(ladder.root / FILE)!r}, 'w').write('mine  # broken\\n')\n"
    ladder.agents(edit(GOOD) + mine)
    ladder.project.configure(checkout_policy="warn")
    for _ in range(5):
        seen = ladder.tick()
    assert "code.py: changed by somebody else meanwhile" in seen.ai_attempts[0].notes
    assert ladder.text() == "mine  # broken\n"


def test_an_agent_that_changes_nothing_has_failed(ladder: Ladder) -> None:
    """It could work, so the next tier is asked."""
    ladder.file(BROKEN)
    ladder.agents(codex=edit(GOOD))
    end = ladder.run()[-1]
    assert [a.outcome for a in end.ai_attempts] == ["no_change", "edited"]
    assert end.final_status == "success"


def test_an_agent_sees_what_is_not_committed(ladder: Ladder) -> None:
    """New and changed files are in its tree; ignored ones are not."""
    ladder.file(BROKEN)
    write(ladder.root, {"new.txt": "n", "README.md": "changed\n"})
    look = "import pathlib; print(sorted(p.name for p in pathlib.Path('.').iterdir()))\n"
    ladder.agents(look + "print(open('README.md').read())\n" + edit(GOOD))
    assert ladder.run()[-1].final_status == "success"
    log = next((ladder.folder() / "attempts" / "1").glob("*.log")).read_text()
    assert "'new.txt'" in log
    assert "changed" in log
    assert "'.state'" not in log


def test_an_ignored_file_is_mended_too(ladder: Ladder) -> None:
    """It was named, so it is in the agent's tree; other ignored files are not."""
    write(ladder.root, {".gitignore": "*.py\n", "other.py": "x"})
    ladder.file(BROKEN)
    ladder.agents("import os; assert not os.path.exists('other.py')\n" + edit(GOOD))
    assert ladder.run()[-1].final_status == "success"
    assert ladder.text() == GOOD


@pytest.mark.parametrize("attributes", ["", "*.py text eol=lf\n"])
def test_line_ends_stay(ladder: Ladder, attributes: str) -> None:
    """Whatever git or the agent makes of them in its tree."""
    write(ladder.root, {".gitattributes": attributes, FILE: b"x  # broken\r\ny\r\n"})
    ladder.agents("open('code.py', 'wb').write(b'x\\ny\\n')\n")
    assert ladder.run()[-1].final_status == "success"
    assert (ladder.root / FILE).read_bytes() == b"x\r\ny\r\n"


def test_a_file_that_no_worktree_can_hold_is_said(ladder: Ladder) -> None:
    """It lies in a repository of its own: no agent could be shown it."""
    write(ladder.root, {"inner/code.py": BROKEN})
    git(ladder.root / "inner", "init", "-q")
    end = ladder.run(Seed(python_files=("inner/code.py",)))[-1]
    assert end.final_status == "infra_failure"
    assert "inner/code.py: cannot be laid into a worktree" in (end.infra_reason or "")


def test_permissions_and_links_stay(ladder: Ladder) -> None:
    """The file that a link leads to is mended, the link stays one."""
    ladder.file(BROKEN, "real.py")
    (ladder.root / "real.py").chmod(0o755)
    (ladder.root / FILE).symlink_to("real.py")
    ladder.agents(edit(GOOD, "real.py"))
    assert ladder.run()[-1].final_status == "success"
    assert (ladder.root / FILE).is_symlink()
    assert (ladder.root / "real.py").stat().st_mode & 0o777 == 0o755


def test_nothing_of_an_agents_tree_is_left(ladder: Ladder) -> None:
    """No branch, no worktree but idle ones, no file beside the sources."""
    ladder.file(BROKEN)
    ladder.agents(edit(GOOD))
    ladder.run()
    assert git(ladder.root, "branch", "--format=%(refname:short)") == "main"
    with ladder.project.workspace() as workspace:
        assert {w["state"] for w in workspace.repository.worktrees()} <= {"idle"}
    assert "penstock" not in git(ladder.root, "status", "--porcelain", "--ignored")


# -- AIM -----------------------------------------------------------------------------------------
def with_rules(ladder: Ladder, **rule: Any) -> None:
    """Switch AIM on, with rules of the repository's own."""
    ladder.aim(on=True)
    ladder.project.rules(code_generation={"primary": "second", "fallback": ["agent"], **rule})


def test_aim_asks_the_tool_of_the_tier_alone(ladder: Ladder) -> None:
    """Though its rule names others, and puts the call into the audit trail."""
    with_rules(ladder)
    ladder.file(BROKEN)
    ladder.agents("import sys; sys.exit(4)", edit(GOOD), edit(GOOD))
    end = ladder.run()[-1]
    assert (end.final_status, end.ai_attempts[-1].tool_id) == ("infra_failure", "first")
    (day,) = (ladder.root / ".AIM_ai-tools-registry/AIM_audit").glob("2*")
    lines = [json.loads(line) for line in (day / "audit.jsonl").read_text().splitlines()]
    calls = [entry for entry in lines if entry["kind"] == "invocation"]
    assert (calls[0]["run_id"], calls[0]["ws_id"], calls[0]["result"]["success"]) == (
        RUN, WS, False,
    )  # fmt: skip


def test_a_tier_may_leave_the_tool_to_a_capability(ladder: Ladder) -> None:
    """The rule's tools are asked one after the other; what a failed one left is undone."""
    with_rules(ladder, primary="first", fallback=["second"], max_retries=0)
    document = {"agents": {"aider": {"capability": "code_generation"}}}
    write(ladder.root, {"config/agent_profiles.json": json.dumps(document)})
    ladder.file(BROKEN)
    ladder.agents("import os; open('mess', 'w').write('x'); os._exit(3)", edit(GOOD))
    end = ladder.run()[-1]
    assert (end.final_status, end.ai_attempts[0].tool_id) == ("success", "second")


def test_with_tool_and_capability_the_tool_comes_first(ladder: Ladder) -> None:
    """And the rule's tools after it."""
    with_rules(ladder, max_retries=0)
    ladder.profiles(agents={"aider": {"capability": "code_generation"}})
    ladder.file(BROKEN)
    ladder.agents("import sys; sys.exit(3)", edit(GOOD))
    end = ladder.run()[-1]
    assert (end.final_status, end.ai_attempts[0].tool_id) == ("success", "second")


def test_a_security_limit_is_the_last_word(ladder: Ladder) -> None:
    """Nothing is started, and it is told as what keeps the agent from working."""
    with_rules(ladder)
    place = ladder.root / ".AIM_ai-tools-registry/AIM_cross-tool/AIM_coordination-rules.json"
    rules = json.loads(place.read_text())
    place.write_text(json.dumps({**rules, "security": {"forbidden_paths": ["code.py"]}}))
    ladder.file(BROKEN)
    ladder.agents(edit(GOOD))
    end = ladder.run()[-1]
    assert (end.final_status, ladder.text()) == ("infra_failure", BROKEN)
    assert "refused" in (end.infra_reason or "")


def test_a_capability_without_aim_is_a_mistake_of_the_configuration(ladder: Ladder) -> None:
    """Said before anything is done, so that it can be mended and gone on with."""
    document = {"agents": {"aider": {"capability": "code_generation"}}}
    write(ladder.root, {"config/agent_profiles.json": json.dumps(document)})
    ladder.file(BROKEN)
    with pytest.raises(ConfigError, match=r"agents.aider: AIM is off"):
        ladder.run()
    ladder.profiles()
    ladder.agents(edit(GOOD))
    assert ladder.run()[-1].final_status == "success"


def test_a_key_that_an_agent_is_given_is_in_no_file(ladder: Ladder) -> None:
    """It is printed by the agent, and stays out of logs, prompts, reports and the journal."""
    ladder.file(BROKEN)
    ladder.profiles(agents={"aider": {"env_vars": {"AGENT_API_KEY": "s3cret-value-2"}}})
    ladder.agents("import os; print(os.environ['AGENT_API_KEY'])\n" + edit(GOOD))
    assert ladder.run()[-1].final_status == "success"
    places = (ladder.root / ".state", ladder.root / "state", ladder.root / "logs")
    files = [p for place in places for p in place.rglob("*") if p.is_file()]
    assert [p for p in files if b"s3cret-value-2" in p.read_bytes()] == []
    assert any(b"[REDACTED]" in p.read_bytes() for p in files)

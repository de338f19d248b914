"""`aim migrate` and its documented scripts, in a repository."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.aim_cli.main import main
from tests.support.cli import Said, child, git, make_repository
from tests.support.oldtrees import snapshot, write_tree, write_vault
from tests.support.registries import write_config

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
OURS = (".git", "backups", ".state", ".AIM_ai-tools-registry")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an old tree, on a machine of its own, that we stand in."""
    folder = make_repository(tmp_path / "r")
    write_tree(folder)
    monkeypatch.chdir(folder)
    for name in ("AIM_REGISTRY_PATH", "LOCALAPPDATA", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.setenv("AIM_VAULT", "age")
    return folder


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim` in this process."""
    return Aim(capsys)


class Aim:
    """Runs command lines of `aim migrate`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line."""
        self._capsys.readouterr()
        code = main(["migrate", *args])
        out, err = self._capsys.readouterr()
        return Said(code, out, err)


def events(repo: Path) -> list[dict[str, Any]]:
    """Return the migrations that the trail has."""
    files = (repo / ".AIM_ai-tools-registry" / "AIM_audit").rglob("audit.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [line for line in lines if line.get("event_type") == "migration"]


def test_apply_validate_and_roll_back(repo: Path, aim: Aim) -> None:
    """The whole way, and back to the byte."""
    before = snapshot(repo, but=OURS)
    said = aim("apply", "--mark-deprecated")
    assert said.code == 0, said.err
    assert "Pins.pipx.ruff" in said.out
    assert "OPENAI_API_KEY: value to be entered again" in said.out
    assert "aim secrets set OPENAI_API_KEY" in said.out
    assert aim("validate").code == 0
    assert "nothing was changed" in aim("apply", "--mark-deprecated").out
    back = aim("rollback")
    assert back.code == 0
    assert "removed config/aim_config.json" in back.out
    assert snapshot(repo, but=OURS) == before


def test_what_is_there_is_recorded_and_hidden(repo: Path, aim: Aim) -> None:
    """Each change is an event of the trail; git shows what people should see, and no backup."""
    aim("apply")
    aim("apply")
    aim("rollback")
    aim("backup")
    assert [event["message"] for event in events(repo)] == [
        "applied a migration", "rolled back a migration", "backed up",
    ]  # fmt: skip
    assert git(repo, "status", "--porcelain", "-uall").count("backups/") == 0


def test_a_dry_run_writes_nothing(repo: Path, aim: Aim, tmp_path: Path) -> None:
    """No file, no folder, no event."""
    before = snapshot(repo, but=(".git",))
    said = aim("apply", "--dry-run", "--json")
    assert said.json["dry_run"] is True
    assert said.json["changed"] == ["config/aim_config.json", "$AIM_HOME/secrets_metadata.json"]
    assert snapshot(repo, but=(".git",)) == before
    assert not (tmp_path / "aim").exists()


def test_names_of_a_copied_vault_can_be_listed_afterwards(
    repo: Path, aim: Aim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`aim secrets list` shows what is still to be entered."""
    vault = write_vault(tmp_path / "copy")
    assert aim("apply", "--vault", str(vault)).code == 0
    main(["secrets", "list", "--json"])
    listed = json.loads(capsys.readouterr().out)
    infos = listed["secrets"] if isinstance(listed, dict) else listed
    assert {(info["key"], info["exists"]) for info in infos} == {
        ("ANTHROPIC_KEY", False), ("OPENAI_API_KEY", False),
    }  # fmt: skip


def test_validate_finds_what_is_missing(repo: Path, aim: Aim) -> None:
    """Without a migration, without a pin, without a report: exit code 1 and the reason."""
    nothing = aim("validate", "--json")
    assert (nothing.code, nothing.json["ok"]) == (1, False)
    aim("apply")
    write_config(repo, {"version": "1.0", "environment": {"toolsRoot": "C:\\Tools"}})
    (repo / "migration_report.json").write_text("{")
    found = {check["name"]: check for check in aim("validate", "--json").json["checks"]}
    assert found["report"]["status"] == "fail"
    aim("rollback")
    aim("apply")
    write_config(repo, {"version": "1.0"})
    found = {check["name"]: check for check in aim("validate", "--json").json["checks"]}
    assert (found["pins"]["status"], found["settings"]["status"]) == ("fail", "fail")


def test_validate_when_values_were_entered(repo: Path, aim: Aim) -> None:
    """A value that is there is no warning any more; a name that is gone is a failure."""
    aim("apply")
    with penstock.open_workspace() as workspace:
        workspace.set_secret("OPENAI_API_KEY", "v" * 24)
    found = {check["name"]: check["status"] for check in aim("validate", "--json").json["checks"]}
    assert found["secrets"] == "pass"
    with penstock.open_workspace() as workspace:
        workspace.delete_secret("OPENAI_API_KEY")
    found = {check["name"]: check["status"] for check in aim("validate", "--json").json["checks"]}
    assert found["secrets"] == "fail"


def test_without_a_tree_the_repair_is_named(repo: Path, aim: Aim) -> None:
    """Exit code 2 with the option to be used."""
    said = aim("apply", "--source", "nowhere")
    assert said.code == 2
    assert "--source" in said.err
    assert aim("rollback").code == 2
    assert "aim migrate backup" in aim("rollback").err


def test_a_pin_that_nobody_understands_puts_everything_back(repo: Path, aim: Aim) -> None:
    """What would be an invalid aim_config is not left behind; exit code 1."""
    path = repo / "AI_MANGER" / "config" / "toolstack.config.json"
    path.write_text('{"Pins": {"npm": {"a": "^^ not a version"}}}')
    before = snapshot(repo, but=OURS)
    said = aim("apply")
    assert said.code == 1
    assert "everything was put back" in said.err
    assert snapshot(repo, but=OURS) == before


def test_what_was_cut_short_is_told_and_put_back(repo: Path, aim: Aim) -> None:
    """`validate` says so, and the next `apply` puts it back first."""
    aim("apply")
    state = next((repo / "backups").glob("aim-*Z")) / "state.json"
    state.write_text(state.read_text().replace('"applied"', '"applying"'))
    assert "was cut short" in aim("validate").out
    said = aim("apply")
    assert (said.code, "was put back first" in said.out) == (0, True)


def test_what_was_changed_since_is_kept_aside(repo: Path, aim: Aim) -> None:
    """Work of people after a migration is not lost by its rollback, and it is said where it is."""
    aim("apply")
    config = repo / "config" / "aim_config.json"
    config.write_text('{"enable_aim": true}')
    with penstock.open_workspace() as workspace:
        workspace.set_secret("MINE", "v" * 24)
    said = aim("rollback")
    assert "kept in backups/aim-" in said.out
    assert "because secrets were set since" in said.out
    kept = next((repo / "backups").rglob("replaced/repository/config/aim_config.json"))
    assert kept.read_text() == '{"enable_aim": true}'
    assert aim("rollback").out.startswith("Every backup is put back already")


def test_a_damaged_backup_is_told(repo: Path, aim: Aim) -> None:
    """`validate` finds it while it is not needed yet; rollback changes nothing, exit code 1."""
    aim("apply")
    copy = next((repo / "backups").rglob("files/repository/AI_MANGER/README.md"))
    copy.write_text("other")
    said = aim("validate")
    assert (said.code, "backup: FAILED" in said.out) == (1, True)
    assert aim("rollback").code == 1


def test_an_old_tree_with_nothing_to_carry_over(repo: Path, aim: Aim) -> None:
    """An empty configuration is no error; the report says that there was nothing."""
    path = repo / "AI_MANGER" / "config" / "toolstack.config.json"
    path.write_text('{"Audit": 1}')
    said = aim("apply")
    assert said.code == 0, said.err
    assert not (repo / "config" / "aim_config.json").exists()
    assert "Nothing." in (repo / "migration_report.md").read_text()
    assert "Wrote migration_report.json and .md." in said.out
    assert "migrated already" in aim("apply").out


def test_a_value_of_the_vault_is_in_no_report(repo: Path, aim: Aim) -> None:
    """Somebody had written a key into the old configuration that lies in our vault, too."""
    value = "correct horse battery staple 42"
    with penstock.open_workspace() as workspace:
        workspace.set_secret("MINE", value)
    path = repo / "AI_MANGER" / "config" / "toolstack.config.json"
    path.write_text(json.dumps({"tasks": {"a": f"run {value}"}, "Own": [value]}))
    said = aim("apply", "--json")
    reports = [repo / f"migration_report.{ending}" for ending in ("json", "md")]
    assert value not in "".join([said.out, said.err, *(report.read_text() for report in reports)])
    assert said.json["unmapped"][0]["value"] == {"a": "run [REDACTED]"}


def test_backup_lists_its_files(repo: Path, aim: Aim) -> None:
    """For people and programs."""
    made = aim("backup", "--json").json
    assert "AI_MANGER/build.ps1" in made["files"]
    assert "config/aim_config.json" in made["absent"]
    assert "  AI_MANGER/build.ps1" in aim("backup").out.splitlines()


def test_a_repository_with_folders_of_our_names(repo: Path, aim: Aim) -> None:
    """One that tracks `state/` and `backups/` of its own is migrated, and put back."""
    for name in ("state/mine.txt", "backups/mine.txt"):
        (repo / name).parent.mkdir()
        (repo / name).write_text("mine")
    git(repo, "add", "state", "backups")
    git(repo, "commit", "-qm", "Ours")
    assert aim("apply").code == 0
    assert aim("rollback").code == 0
    assert git(repo, "status", "--porcelain", "state", "backups") == ""


def test_a_setting_of_another_trail(repo: Path, aim: Aim) -> None:
    """Without a trail nothing is recorded; one that cannot be written stops it before anything."""
    write_config(repo, {"enable_audit_logging": False})
    assert aim("apply").code == 0
    assert events(repo) == []
    aim("rollback")
    (repo / "blocked").write_text("")
    write_config(repo, {"audit": {"logPath": "blocked/trail"}})
    before = snapshot(repo, but=OURS)
    assert aim("apply").code == 2
    assert snapshot(repo, but=OURS) == before


def test_a_repository_without_git(tmp_path: Path, repo: Path, aim: Aim) -> None:
    """A plain folder will do."""
    folder = tmp_path / "plain"
    write_tree(folder)
    os.chdir(folder)
    assert aim("apply").code == 0
    assert aim("rollback", "--json").json["path"].startswith("backups/aim-")


def test_the_documented_function(repo: Path) -> None:
    """`migrate_ai_manager_to_aim` does the same and returns the report."""
    assert penstock.migrate_ai_manager_to_aim(dry_run=True)["changed"]
    report = penstock.migrate_ai_manager_to_aim(mark_deprecated=True)
    assert report["secrets"]["needs_reentry"] == ["OPENAI_API_KEY"]
    assert penstock.migrate_ai_manager_to_aim(mark_deprecated=True)["changed"] == []


def script(repo: Path, name: str, *args: str) -> Said:
    """Run a documented script from the repository's root."""
    return child(*args, cwd=repo, program=[sys.executable, str(SCRIPTS / name)])


def test_the_documented_scripts_in_their_order(repo: Path) -> None:
    """Back up, migrate, validate, check the configuration, roll back: as the plan has it."""
    before = snapshot(repo, but=OURS)
    assert "Backed up" in script(repo, "backup_current_state.py").out
    assert script(repo, "validate_aim_plus.py").code == 1
    assert script(repo, "migrate_aim_plus.py").code == 0
    assert script(repo, "validate_aim_plus.py", "--json").json["ok"] is True
    assert script(repo, "validate_config.py").out.endswith("config/aim_config.json: valid.\n")
    assert script(repo, "rollback_aim_plus.py").code == 0
    assert snapshot(repo, but=OURS) == before
    assert script(repo, "migrate_aim_plus.py", "--source", "none").code == 2

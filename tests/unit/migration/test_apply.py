"""A migration is carried out whole or not at all, and taken back to the byte."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.config.documents import ConfigFileError
from penstock.errors import (
    ClaimError,
    EnvironmentProblem,
    NotFoundError,
    SecretsError,
    UsageError,
)
from penstock.migration import files
from penstock.migration.api import Report
from penstock.migration.apply import InvalidMigrationError, back_up, migrating
from penstock.migration.backup import BackupSet, DamagedBackupError, Phase
from penstock.migration.check import journal_checks, secrets_check, settings_check
from penstock.migration.files import Base, Name
from penstock.migration.plan import Options
from tests.support.migrations import BROKEN, FINE, Ground
from tests.support.oldtrees import BLOB, snapshot, write_vault

LATER = "2026-01-31T10:20:31Z"
CONFIG = "config/aim_config.json"


def put(ground: Ground, text: str, name: str = CONFIG) -> Path:
    """Write a file of the repository."""
    path = ground.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def config(ground: Ground, name: str = CONFIG) -> Any:
    """Return what aim_config holds."""
    return json.loads((ground.root / name).read_text(encoding="utf-8"))


# -- applying ----------------------------------------------------------------------------------
def test_settings_names_and_reports_are_written(ground: Ground) -> None:
    """aim_config, the names of secrets without values, a report for people and one for programs."""
    report = ground.apply()
    assert config(ground)["environment"]["versionPins"]["pipx"] == {
        "ruff": "0.5.0",
        "black": "24.1",
    }
    assert ground.desk.known() == {"OPENAI_API_KEY"}
    assert report.secrets.needs_reentry == ("OPENAI_API_KEY",)
    written = msgspec.json.decode((ground.root / "migration_report.json").read_bytes(), type=Report)
    assert written == report
    page = (ground.root / "migration_report.md").read_text(encoding="utf-8")
    assert "| WatchRoots |" in page
    assert "aim secrets set OPENAI_API_KEY" in page
    assert ground.begun == 1


def test_the_report_has_the_documented_members(ground: Ground) -> None:
    """Mapped, unmapped, secrets, warnings, what is to be done, the backup, the validation."""
    ground.apply()
    found = json.loads((ground.root / "migration_report.json").read_text())
    assert {"mapped", "unmapped", "secrets", "warnings", "backup_path", "to_do"} <= found.keys()
    assert found["secrets"] == {"migrated": ["OPENAI_API_KEY"], "needs_reentry": ["OPENAI_API_KEY"]}
    assert found["validation"]["ok"] is True


def test_each_part_is_said_as_it_begins(ground: Ground) -> None:
    """Three parts, and the way back when something fails."""
    ground.apply(validation=FINE)
    assert len(ground.said) == 3
    with pytest.raises(InvalidMigrationError):
        ground.apply(mark=True, validation=BROKEN, now=LATER)
    assert ground.said[-1] == "Putting everything back ..."


def test_a_second_time_changes_nothing(ground: Ground) -> None:
    """No file, no backup, no report, and it says so."""
    ground.apply(mark=True)
    before = snapshot(ground.root, but=()), snapshot(ground.home)
    report = ground.apply(mark=True, now=LATER)
    assert report.changed == ()
    assert (snapshot(ground.root, but=()), snapshot(ground.home)) == before
    assert ground.begun == 1


def test_a_dry_run_writes_nothing(ground: Ground) -> None:
    """It tells the same, and nothing is there afterwards, not even a folder."""
    before = snapshot(ground.root, but=())
    report = ground.apply(dry_run=True, mark=True)
    assert set(report.changed) == {CONFIG, "AI_MANGER/README.md", "AI_MANGER/build.ps1",
                                   "$AIM_HOME/secrets_metadata.json"}  # fmt: skip
    assert snapshot(ground.root, but=()) == before
    assert not ground.home.exists()


def test_values_that_are_there_win_and_comments_stay(ground: Ground) -> None:
    """A file that people wrote keeps all that it says."""
    put(ground, "# mine\nenvironment:\n  toolsRoot: ~/t  # here\n", "config/aim_config.yaml")
    ground.apply()
    text = (ground.root / "config" / "aim_config.yaml").read_text(encoding="utf-8")
    assert text.startswith("# mine\nenvironment:\n  toolsRoot: ~/t  # here\n")
    assert 'pipxApps: ["aider-chat", "ruff"]' in text
    assert not (ground.root / CONFIG).exists()


def test_files_side_by_side_are_changed_alike(ground: Ground) -> None:
    """JSON and YAML must agree, so both get the settings."""
    put(ground, '{"enable_aim": true}')
    put(ground, "enable_aim: true\n", "config/aim_config.yaml")
    report = ground.apply()
    assert {CONFIG, "config/aim_config.yaml"} <= set(report.changed)


def test_the_file_that_counts_is_the_one_that_is_changed(ground: Ground) -> None:
    """One in `aim/config/` where `config/` has none."""
    put(ground, '{"enable_aim": true}\n', "aim/config/aim_config.json")
    ground.apply()
    assert "environment" in config(ground, "aim/config/aim_config.json")
    assert not (ground.root / "config").exists()


def test_a_link_within_the_repository_stays_one(ground: Ground) -> None:
    """What it leads to is changed, and put back."""
    put(ground, '{"enable_aim": true}\n', "shared/aim.json")
    (ground.root / "config").mkdir()
    (ground.root / CONFIG).symlink_to("../shared/aim.json")
    before = snapshot(ground.root)
    ground.apply()
    assert "environment" in config(ground, "shared/aim.json")
    ground.roll_back()
    assert snapshot(ground.root) == before
    assert (ground.root / CONFIG).is_symlink()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff{}\n"])
def test_a_file_with_nothing_in_it_is_filled(ground: Ground, text: str) -> None:
    """An empty one, one of comments, one with a byte order mark, which stays."""
    name = CONFIG if "{" in text else "config/aim_config.yaml"
    path = put(ground, text, name)
    ground.apply()
    assert path.read_text(encoding="utf-8").startswith(text[:2])
    assert "pipxApps" in path.read_text(encoding="utf-8")
    assert ground.apply(now=LATER).changed == ()


def test_a_secret_in_the_old_configuration_is_masked(ground: Ground) -> None:
    """Reports are shown around: values in them are masked, in the vault's names too."""
    path = ground.root / "AI_MANGER" / "config" / "toolstack.config.json"
    path.write_text('{"tasks": {"hunter2": ["hunter2", 1]}, "ToolsRoot": "hunter2"}')
    report = ground.apply()
    assert report.unmapped[0].value == {"[REDACTED]": ["[REDACTED]", 1]}
    for name in ("migration_report.json", "migration_report.md"):
        assert "hunter2" not in (ground.root / name).read_text()


def test_values_of_the_old_vault_go_nowhere(ground: Ground, tmp_path: Path) -> None:
    """Names are carried over, and no piece of what Windows encrypted."""
    ground.apply(vault=write_vault(tmp_path / "v"))
    assert ground.desk.known() == {"OPENAI_API_KEY", "ANTHROPIC_KEY"}
    for path in (*ground.root.rglob("*"), *ground.home.rglob("*")):
        assert not path.is_file() or BLOB.encode() not in path.read_bytes()


def test_a_configuration_that_is_wrong_stops_it_before_anything(ground: Ground) -> None:
    """Nothing is written, not even a backup."""
    put(ground, '{"enable_ami": 1}')
    before = snapshot(ground.root)
    with pytest.raises(ConfigFileError, match="enable_ami"):
        ground.apply()
    assert snapshot(ground.root) == before
    assert not list((ground.root / "backups").glob("aim-*"))


def test_a_result_that_cannot_be_used_is_put_back(ground: Ground) -> None:
    """When the validation fails everything is as it was, and the error says why."""
    before = snapshot(ground.root)
    with pytest.raises(InvalidMigrationError, match="everything was put back: not valid"):
        ground.apply(validation=BROKEN, mark=True)
    assert snapshot(ground.root) == before
    assert ground.desk.known() == frozenset()


def test_one_that_waits_too_long_is_told(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told which one it waited for."""
    monkeypatch.setattr("penstock.migration.apply.PATIENCE_S", 0.05)
    with migrating(ground.places), pytest.raises(ClaimError, match="another migration"):
        ground.apply()


# -- backups -----------------------------------------------------------------------------------
def test_a_backup_has_a_manifest_and_is_private(ground: Ground) -> None:
    """Path, hash, mode and whether it existed; folders 0700, files 0600, git shows nothing of it."""
    ground.apply()
    folder = ground.root / "backups" / "aim-20260131T102030Z"
    manifest = json.loads((folder / "manifest.json").read_text())
    entries = {entry["path"]: entry for entry in manifest["files"]}
    readme = entries["AI_MANGER/README.md"]
    assert readme["sha256"] == files.digest((ground.root / "AI_MANGER/README.md").read_bytes())
    assert (entries[CONFIG]["existed"], entries[CONFIG]["sha256"]) == (False, None)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert (modes, stat.S_IMODE(folder.stat().st_mode)) == ({0o600}, 0o700)
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_backup_alone_can_be_put_back(ground: Ground) -> None:
    """What was changed by hand since then is restored, and the change is kept aside."""
    put(ground, '{"enable_aim": true}').chmod(0o640)
    before = snapshot(ground.root)
    made = back_up(
        ground.places,
        ground.edges,
        Options(source=ground.root / "AI_MANGER"),
        "2026-01-31T10:20:30Z",
    )
    assert CONFIG in made.files
    put(ground, "{}").chmod(0o600)
    done = ground.roll_back()
    assert snapshot(ground.root) == before
    assert done.restored == (CONFIG,)
    kept = ground.root / str(done.kept) / "repository" / CONFIG
    assert kept.read_text() == "{}"


def test_backups_of_one_second_have_names_of_their_own(ground: Ground) -> None:
    """Nothing is overwritten, and the later one is the newer."""
    options = Options(source=ground.root / "AI_MANGER")
    made = [back_up(ground.places, ground.edges, options, LATER).path for _ in range(11)]
    assert made[0] == "backups/aim-20260131T102031Z"
    assert made[10] == "backups/aim-20260131T102031Z-11"
    assert ground.roll_back().path == made[10]


# -- rolling back ------------------------------------------------------------------------------
@pytest.mark.parametrize("existing", [None, '{\n  // mine\n  "enable_aim": true\n}\n'])
def test_rollback_restores_to_the_byte(ground: Ground, existing: str | None) -> None:
    """Files as they were with their modes; files and folders that were not there are gone."""
    if existing is not None:
        put(ground, existing).chmod(0o640)
    before = snapshot(ground.root)
    ground.apply(mark=True)
    assert snapshot(ground.root) != before
    done = ground.roll_back()
    assert snapshot(ground.root) == before
    assert not (ground.home / "secrets_metadata.json").exists()
    assert done.withdrawn == ("OPENAI_API_KEY",)


def test_rollback_twice_and_without_a_backup(ground: Ground) -> None:
    """A second time there is nothing to be done; without any backup that is said."""
    with pytest.raises(NotFoundError, match="there is no backup"):
        ground.roll_back()
    ground.apply()
    ground.roll_back()
    assert ground.roll_back().path is None


def test_migrations_are_taken_back_one_after_the_other(ground: Ground) -> None:
    """The newest that was not put back yet is the next one; any can be named."""
    first = ground.apply()
    second = ground.apply(mark=True, now=LATER)
    assert ground.roll_back().path == second.backup_path
    assert ground.roll_back("aim-20260131T102030Z").path == first.backup_path
    with pytest.raises(NotFoundError, match="there is no backup nonsense"):
        ground.roll_back("nonsense")


def test_secrets_that_were_set_since_are_not_lost(ground: Ground) -> None:
    """Their entries stay, and so does the file, which is said; names without a value go."""
    ground.apply()
    ground.desk._vault.set("MINE", "v" * 20)
    done = ground.roll_back()
    assert done.left == ("$AIM_HOME/secrets_metadata.json",)
    assert ground.desk.known() == {"MINE"}


def test_a_carried_name_that_got_its_value_stays(ground: Ground) -> None:
    """What was entered again is not taken back."""
    ground.apply()
    ground.desk._vault.set("OPENAI_API_KEY", "v" * 20)
    assert ground.roll_back().withdrawn == ()
    assert ground.desk.known() == {"OPENAI_API_KEY"}


def test_names_that_were_there_come_back_to_the_byte(ground: Ground) -> None:
    """The file of names is the same, its layout too."""
    ground.desk.enter({"OLD": "x"})
    path = ground.home / "secrets_metadata.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n"))
    before = path.read_bytes()
    ground.apply()
    assert path.read_bytes() != before
    ground.roll_back()
    assert path.read_bytes() == before


def spoil(folder: Path) -> None:
    """Change a copy in a backup."""
    (folder / "files" / "repository" / "AI_MANGER" / "README.md").write_text("other")


def lose(folder: Path) -> None:
    """Lose a copy of a backup."""
    (folder / "files" / "repository" / "AI_MANGER" / "README.md").unlink()


def cut(folder: Path) -> None:
    """Cut a manifest short."""
    (folder / "manifest.json").write_text('{"created_at"')


@pytest.mark.parametrize("damage", [spoil, lose, cut])
def test_a_damaged_backup_changes_nothing(ground: Ground, damage: Callable[[Path], None]) -> None:
    """All copies are checked before the first file is touched."""
    report = ground.apply()
    damage(ground.root / str(report.backup_path))
    before = snapshot(ground.root)
    with pytest.raises(DamagedBackupError, match="damaged"):
        ground.roll_back()
    assert snapshot(ground.root) == before


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "AI_MANGER/../../x"])
def test_a_made_up_backup_leads_nowhere_else(ground: Ground, path: str) -> None:
    """A path out of the repository is refused, whatever the manifest says."""
    report = ground.apply()
    place = ground.root / str(report.backup_path) / "manifest.json"
    manifest = json.loads(place.read_text())
    manifest["files"].append({"path": path, "existed": False})
    place.write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="leads out of its folder"):
        ground.roll_back()


def test_what_is_no_backup_and_what_cannot_be_made(ground: Ground) -> None:
    """A folder without a manifest is no backup; a file in the way of all backups is told."""
    with pytest.raises(NotFoundError, match="is no backup"):
        BackupSet(ground.root).manifest()
    put(ground, "", "backups")
    with pytest.raises(EnvironmentProblem, match="cannot make"):
        ground.apply()


def test_a_file_of_names_that_is_damaged_stays(ground: Ground) -> None:
    """It is told before anything begins, and a rollback does not touch it."""
    ground.apply()
    (ground.home / "secrets_metadata.json").write_text("{")
    with pytest.raises(SecretsError, match="damaged"):
        ground.apply(mark=True, now=LATER)
    with pytest.raises(SecretsError, match="damaged"):
        ground.roll_back()
    assert (ground.home / "secrets_metadata.json").read_text() == "{"


def test_checks_tell_what_is_wrong(ground: Ground) -> None:
    """Names that cannot be read, settings in a file that cannot be parsed or is not there."""
    report = ground.apply()
    (ground.home / "secrets_metadata.json").write_text("{")
    assert secrets_check(ground.desk, ("A",)).status == "fail"
    put(ground, "{")
    assert settings_check(ground.places, report, (CONFIG,)).status == "fail"
    assert settings_check(ground.places, report, ()).status == "fail"
    assert [check.status for check in journal_checks(ground.places)] == ["pass", "pass"]


def test_a_link_out_of_the_repository_is_not_followed(ground: Ground, tmp_path: Path) -> None:
    """A repository must not have us write elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (ground.root / "config").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="leads out of its folder"):
        ground.apply()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_write_that_fails_puts_everything_back(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the machine in the midst of it is told, and nothing of it is left."""
    before = snapshot(ground.root)
    place, write = ground.places.path(Name(Base.REPOSITORY, "migration_report.md")), files.write

    def failing(path: Path, data: bytes, mode: int) -> None:
        if path == place:
            raise EnvironmentProblem("cannot write it")
        write(path, data, mode)

    monkeypatch.setattr(files, "write", failing)
    with pytest.raises(EnvironmentProblem, match="cannot write it"):
        ground.apply(mark=True)
    assert snapshot(ground.root) == before
    folder = next((ground.root / "backups").glob("aim-*Z"))
    assert BackupSet(folder).state().phase is Phase.ROLLED_BACK

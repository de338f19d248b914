"""What the doctor says of a vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, SecretsError
from penstock.vault.api import VaultReport
from penstock.vault.backends.age import AgeBackend
from penstock.vault.doctor import TRIAL_KEY, examine
from penstock.vault.opening import open_vault
from tests.support.vaults import age_at, private, vault_at


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a user."""
    return tmp_path / "home"


def test_a_vault_that_works(home: Path) -> None:
    """It is named with its reason, and a value went there and back."""
    vault_at(home).set("A", "value")
    report = examine(vault_at(home), round_trip=True)
    assert (report.ok, report.backend, report.round_trip, report.secrets) == (True, "age", True, 1)
    assert report.decided_by == "environment.secretsVault says 'age'"
    assert (report.problems, report.notes) == ((), ())
    assert age_at(home).listed() == ("A",)


def test_looking_alone_changes_nothing(home: Path) -> None:
    """Without a round trip nothing is made."""
    report = examine(vault_at(home))
    assert (report.ok, report.round_trip) == (True, None)
    assert not home.exists()


def test_a_secret_without_a_value_is_a_problem(home: Path) -> None:
    """The problem says how it is mended."""
    vault_at(home).set("A", "value")
    age_at(home).delete("A")
    report = examine(vault_at(home))
    assert not report.ok
    assert "aim secrets set A, or aim secrets delete A" in report.problems[0]


def test_a_variable_that_stands_before_the_vault_is_noted(home: Path) -> None:
    """Tools get the environment's value; a reference to that very variable is no news."""
    vault = vault_at(home, A="other", B="b")
    vault.set("A", "value")
    vault.refer("B", "env:B")
    report = examine(vault)
    assert (report.ok, len(report.notes)) == (True, 1)
    assert report.notes[0].startswith("A is also set in the environment")


def test_a_vault_that_is_only_read_is_noted(home: Path, tmp_path: Path) -> None:
    """Fresh secrets have no place there, and the note says where they have one."""
    given = str(private(tmp_path / "credentials"))
    report = examine(vault_at(home, "systemd", CREDENTIALS_DIRECTORY=given), round_trip=True)
    assert (report.ok, report.round_trip) == (True, None)
    assert "AIM_VAULT=age" in report.notes[0]


def test_a_vault_that_is_not_there(home: Path) -> None:
    """The wish that cannot be met is the problem; every backend still has its reason."""
    for wish in ("systemd", "no-such"):
        report = examine(vault_at(home, wish), round_trip=True)
        assert (report.ok, report.backend, report.round_trip) == (False, None, None)
        assert wish in report.problems[0]
        assert [s.name for s in report.statuses] == ["keyring", "systemd", "age"]


def test_an_open_folder_is_one_problem(home: Path) -> None:
    """The doctor does not fail of what it is to find."""
    vault_at(home).set("A", "value")
    home.chmod(0o750)
    report = examine(vault_at(home), round_trip=True)
    assert not report.ok
    assert any(f"chmod 700 {home}" in problem for problem in report.problems)


def failing(report: VaultReport) -> str:
    """Return the one problem of a report whose round trip failed."""
    assert report.round_trip is False
    return report.problems[0]


def test_a_round_trip_that_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that gives back something else, or cannot be written, is found out."""
    monkeypatch.setattr(AgeBackend, "get", lambda _self, keys: dict.fromkeys(keys, "other"))
    assert failing(examine(vault_at(home), round_trip=True)) == "age gave back another value"
    monkeypatch.undo()
    assert TRIAL_KEY not in age_at(home).listed()
    (home / "vault.key").chmod(0o644)
    assert "chmod 600" in examine(vault_at(home), round_trip=True).problems[0]


def test_the_folder_comes_from_the_environment(home: Path) -> None:
    """AIM_HOME says where the vault is, with the wish of AIM_VAULT."""
    environ = {"AIM_HOME": str(home), "AIM_VAULT": "age"}
    open_vault(None, environ).set("A", "a-value-to-hide")
    assert vault_at(home).get("A") == "a-value-to-hide"


def test_without_a_home_there_is_no_vault() -> None:
    """It is said, with what mends it."""
    with pytest.raises(EnvironmentProblem, match="no home folder") as caught:
        open_vault(None, {"AIM_HOME": "~no-such-user-here/x"})
    assert caught.value.hint == "Set AIM_HOME to a folder."


def test_a_vault_that_fails_between_two_looks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that cannot be written in the end makes the round trip fail, not the doctor."""

    def full(_self: AgeBackend, _key: str, _value: str) -> None:
        raise SecretsError("the disk is full", hint="Free some space.")

    monkeypatch.setattr(AgeBackend, "set", full)
    report = examine(vault_at(home), round_trip=True)
    assert failing(report) == "the disk is full (Free some space.)"

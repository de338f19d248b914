"""Secrets are known by name before they have values, and taken back while they have none."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from penstock.errors import SecretsError, UsageError
from penstock.vault.names import SecretNames
from penstock.vault.opening import open_vault


@pytest.fixture
def names(tmp_path: Path) -> SecretNames:
    """Names beside a vault in a file, in a folder that is not there yet."""
    home = tmp_path / "aim"
    return SecretNames(open_vault("age", {}, home), home)


def test_nothing_is_made_by_looking(names: SecretNames) -> None:
    """Without a folder there are no names, and none is made."""
    assert names.known() == frozenset()
    assert names.valueless(["A"]) == ("A",)
    assert names.withdraw(["A"]) == ()
    assert not names.path.parent.exists()


def test_names_are_entered_once(names: SecretNames) -> None:
    """What was known keeps its description; the file is ours alone."""
    names.enter({"A": "first", "B": "second"})
    before = names.path.read_bytes()
    names.enter({"A": "other"})
    assert names.path.read_bytes() == before
    assert names.known() == {"A", "B"}
    assert stat.S_IMODE(names.path.stat().st_mode) == 0o600


def test_a_name_that_no_secret_can_have_is_refused(names: SecretNames) -> None:
    """All are looked at before the first is entered."""
    with pytest.raises(UsageError):
        names.enter({"A": "x", "a b": "y"})
    assert names.known() == frozenset()


def test_only_names_without_a_value_are_taken_back(names: SecretNames) -> None:
    """One that got a value or a reference stays, and so does one that was never entered."""
    names.enter({"A": "x", "B": "x", "C": "x"})
    names._vault.set("B", "a value of some length")
    names._vault.refer("C", "env:ELSEWHERE")
    assert names.valueless(["A", "B", "C"]) == ("A",)
    assert names.withdraw(["A", "B", "C", "D"]) == ("A",)
    assert names.known() == {"B", "C"}
    assert names.withdraw([]) == ()


def test_a_vault_that_cannot_be_read_leaves_it_open(names: SecretNames) -> None:
    """No value that can be seen counts as none; nothing is removed on that ground."""
    names.enter({"A": "x"})
    names._vault.set("A", "a value of some length")
    names.path.parent.joinpath("vault.age").write_bytes(b"rubbish")
    assert names.valueless(["A"]) == ("A",)
    assert names.withdraw(["A"]) == ()


def test_a_file_that_others_may_read_is_refused(names: SecretNames) -> None:
    """As everywhere in the user's folder."""
    names.enter({"A": "x"})
    names.path.chmod(0o644)
    with pytest.raises(SecretsError, match="is open to others"):
        names.known()

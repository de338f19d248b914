"""Which backend takes fresh secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import SecretsError
from penstock.vault.backends import os_keyring
from penstock.vault.choice import Choice, age_path
from tests.support.vaults import private


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No keyring but the one that a test asks for: a first word means that it works."""
    works: list[str] = []
    monkeypatch.setattr(
        os_keyring.OsKeyring, "problem", lambda _self: None if works else "no keyring here"
    )
    return works


def chosen(home: Path, wish: str | None = None, **environ: str) -> str:
    """Return the name of the backend that is used."""
    return Choice(wish, environ, home).chosen().name


def test_the_first_that_works_is_used(tmp_path: Path, keyring: list[str]) -> None:
    """A keyring goes before credentials, these before the age file."""
    given = str(private(tmp_path / "credentials"))
    assert chosen(tmp_path / "home") == "age"
    assert chosen(tmp_path / "home", CREDENTIALS_DIRECTORY=given) == "systemd"
    keyring.append("works")
    assert chosen(tmp_path / "home", CREDENTIALS_DIRECTORY=given) == "keyring"


@pytest.mark.parametrize("wish", [None, "", "auto", " auto "])
def test_without_a_wish_the_order_counts(tmp_path: Path, wish: str | None) -> None:
    """`auto` is the same as nothing."""
    choice = Choice(wish, {}, tmp_path / "home")
    assert (choice.chosen().name, choice.why()) == ("age", "the first that works")


def test_the_variable_goes_before_the_setting(tmp_path: Path, keyring: list[str]) -> None:
    """AIM_VAULT beats environment.secretsVault, which beats the order."""
    keyring.append("works")
    assert chosen(tmp_path, "age") == "age"
    assert chosen(tmp_path, "age", AIM_VAULT="keyring") == "keyring"
    assert Choice("age", {"AIM_VAULT": "keyring"}, tmp_path).why() == "AIM_VAULT says 'keyring'"
    assert Choice("age", {}, tmp_path).why() == "environment.secretsVault says 'age'"


@pytest.mark.parametrize("wish", ["keyring", "systemd"])
def test_a_named_backend_is_used_or_none(tmp_path: Path, wish: str) -> None:
    """What was named is not fallen back from, and the error says why it cannot be used."""
    with pytest.raises(SecretsError, match=f"says '{wish}', but ") as caught:
        chosen(tmp_path, wish)
    assert "age" in (caught.value.hint or "")


@pytest.mark.parametrize("wish", ["plaintext", "none", "Age", "age:x"])
def test_a_name_that_no_backend_has(tmp_path: Path, wish: str) -> None:
    """There is no plain text to be asked for."""
    with pytest.raises(SecretsError, match="there is no vault"):
        chosen(tmp_path, wish)
    with pytest.raises(SecretsError, match="there is no vault"):
        Choice(wish, {}, tmp_path).statuses()
    assert not any(s.chosen for s in Choice(wish, {}, tmp_path).all_statuses())


def test_a_path_is_an_age_file(tmp_path: Path) -> None:
    """The setting may say where the age file lies; its key stays in the user's folder."""
    choice = Choice(str(tmp_path / "shared" / "team.age"), {}, tmp_path / "home")
    choice.chosen().set("A", "value")
    assert (tmp_path / "shared" / "team.age").is_file()
    assert (tmp_path / "home" / "vault.key").is_file()


def test_the_vault_of_an_older_tool_is_left_alone(tmp_path: Path) -> None:
    """A setting that still names its JSON file means an age file beside it."""
    old = private(tmp_path / "CLI_Vault") / "vault.json"
    old.write_text("{}")
    Choice(str(old), {}, tmp_path / "home").chosen().set("A", "value")
    assert old.read_text() == "{}"
    assert (tmp_path / "CLI_Vault" / "vault.age").is_file()


def test_a_path_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert age_path("~/secrets.age") == tmp_path / "secrets.age"
    with pytest.raises(SecretsError, match="no home folder"):
        age_path("~no-such-user-here/x.age")


@pytest.mark.parametrize("wish", ["%LOCALAPPDATA%\\CLI_Vault\\vault.json", "${NOWHERE}/vault.age"])
def test_a_path_with_a_variable_that_is_not_set(tmp_path: Path, wish: str) -> None:
    """A place of another machine is not made up here."""
    with pytest.raises(SecretsError, match="holds a variable that is not set"):
        chosen(tmp_path, wish)


def test_a_damaged_age_file_is_no_vault(tmp_path: Path) -> None:
    """What cannot be read does not take fresh secrets either."""
    home = private(tmp_path / "home")
    (home / "vault.age").write_bytes(b"rubbish")
    (home / "vault.age").chmod(0o600)
    with pytest.raises(SecretsError, match="there is no vault to keep secrets in"):
        chosen(home)


def test_every_backend_has_its_reason(tmp_path: Path) -> None:
    """The statuses say of each whether it works, and why not or where."""
    found = {s.name: s for s in Choice(None, {}, tmp_path / "home").statuses()}
    assert list(found) == ["keyring", "systemd", "age"]
    assert [s.name for s in found.values() if s.chosen] == ["age"]
    assert found["keyring"].reason == "no keyring here"
    assert str(tmp_path / "home" / "vault.age") in found["age"].reason


def test_the_key_may_be_elsewhere(tmp_path: Path) -> None:
    """AIM_VAULT_IDENTITY moves the key file."""
    key = private(tmp_path / "stick") / "my.key"
    choice = Choice("age", {"AIM_VAULT_IDENTITY": str(key)}, tmp_path / "home")
    choice.chosen().set("A", "value")
    assert key.is_file()
    assert not (tmp_path / "home" / "vault.key").exists()

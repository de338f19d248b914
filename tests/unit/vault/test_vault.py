"""The vault over all backends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.errors import SecretsError, UsageError
from penstock.vault.vault import LayeredVault
from tests.support.vaults import SECRET, age_at, private, vault_at


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a user."""
    return tmp_path / "home"


@pytest.fixture
def vault(home: Path) -> LayeredVault:
    """A vault that keeps its secrets in an age file."""
    return vault_at(home)


def metadata(home: Path) -> dict[str, dict[str, str]]:
    """Return what is written down about secrets."""
    found: dict[str, dict[str, str]] = json.loads((home / "secrets_metadata.json").read_text())
    return found


def test_an_unused_vault_is_empty_and_makes_nothing(home: Path, vault: LayeredVault) -> None:
    """Looking for secrets leaves no trace."""
    assert (vault.get("A"), vault.infos(), vault.listed(), vault.values()) == (None, (), (), {})
    assert (vault.info("A"), vault.known().values, vault.known().problem) == (None, {}, None)
    assert not home.exists()


def test_what_is_kept_is_found_by_another_process(home: Path, vault: LayeredVault) -> None:
    """A secret is read back, described, and listed."""
    vault.set("B", SECRET, "for the tests")
    vault.set("A", "other")
    again = vault_at(home)
    assert again.get("B") == SECRET
    assert again.values() == {"A": "other", "B": SECRET}
    assert again.values(["A", "C"]) == {"A": "other"}
    assert [(i.key, i.description, i.backend, i.exists) for i in again.infos()] == [
        ("A", None, "age", True),
        ("B", "for the tests", "age", True),
    ]


def test_the_metadata_is_as_documented(home: Path, vault: LayeredVault) -> None:
    """`secrets_metadata.json` has description and created_at by key, and no value."""
    vault.set("B", SECRET, "for the tests")
    entry = metadata(home)["B"]
    assert (entry["description"], entry["created_at"][-1]) == ("for the tests", "Z")
    assert "hunter2" not in (home / "secrets_metadata.json").read_text()


def test_setting_again_keeps_what_is_not_said(home: Path, vault: LayeredVault) -> None:
    """The description and the time of its making stay; an empty description takes it away."""
    vault.set("A", "one", "what it is for")
    made = metadata(home)["A"]["created_at"]
    vault.set("A", "two")
    info = vault.info("A")
    assert info is not None
    assert (vault.get("A"), info.description, info.created_at) == ("two", "what it is for", made)
    assert info.updated_at is not None
    assert info.updated_at > made
    vault.set("A", "two", "")
    assert "description" not in metadata(home)["A"]


def test_a_removed_secret_leaves_nothing(home: Path, vault: LayeredVault) -> None:
    """Value and description go; a second time there is nothing to remove."""
    vault.set("A", SECRET)
    assert vault.delete("A")
    assert not vault.delete("A")
    assert (vault.get("A"), vault.infos(), metadata(home)) == (None, (), {})


def test_a_reference_is_followed_when_it_is_needed(home: Path, vault: LayeredVault) -> None:
    """It is kept in the metadata, in place of the value that was there before."""
    vault.set("A", SECRET)
    vault_at(home, OTHER="elsewhere").refer("A", "env:OTHER", "moved")
    assert vault_at(home, OTHER="elsewhere").get("A") == "elsewhere"
    assert age_at(home).listed() == ()
    info = vault.info("A")
    assert info is not None
    assert (info.backend, info.reference, info.exists) == ("reference", "env:OTHER", None)
    assert vault.delete("A")


def test_a_value_takes_the_place_of_a_reference(home: Path, vault: LayeredVault) -> None:
    """Setting a referenced secret keeps the value itself."""
    vault.refer("A", "env:OTHER")
    vault.set("A", SECRET)
    assert vault.get("A") == SECRET
    assert "reference" not in metadata(home)["A"]


def test_a_program_is_asked_once(home: Path, tmp_path: Path) -> None:
    """What a reference gave is remembered by this vault, and known for redaction from then on."""
    counter = tmp_path / "asked"
    vault = vault_at(home, PATH="/usr/bin:/bin")
    vault.refer("A", f"cmd:sh -c 'echo x >> {counter}; echo a-value-of-a-program'")
    assert vault.known().values == {}
    assert [vault.get("A") for _ in range(3)] == ["a-value-of-a-program"] * 3
    assert counter.read_text() == "x\n"
    assert vault.known().values == {"A": "a-value-of-a-program"}


def test_a_referenced_variable_is_known_without_asking(home: Path) -> None:
    """Variables need no program, so they are taken out of texts from the start."""
    vault = vault_at(home, OTHER="elsewhere")
    vault.refer("A", "env:OTHER")
    assert vault.known().values == {"A": "elsewhere"}


def test_credentials_of_the_service_are_found_without_metadata(home: Path, tmp_path: Path) -> None:
    """What systemd gives is listed and read, and fresh secrets are refused in its name."""
    given = private(tmp_path / "credentials")
    (given / "UNIT_KEY").write_text("of-the-unit")
    vault = vault_at(home, "systemd", CREDENTIALS_DIRECTORY=str(given))
    assert (vault.get("UNIT_KEY"), vault.listed()) == ("of-the-unit", ("UNIT_KEY",))
    assert [(i.key, i.backend, i.exists) for i in vault.infos()] == [("UNIT_KEY", "systemd", True)]
    with pytest.raises(SecretsError, match="read only"):
        vault.set("OTHER", "x")
    assert metadata(home) == {}


def test_a_secret_stays_where_it_was_kept(home: Path, tmp_path: Path) -> None:
    """When another vault is named later, what lies in the first is still read."""
    vault_at(home).set("A", SECRET)
    given = private(tmp_path / "credentials")
    later = vault_at(home, "systemd", CREDENTIALS_DIRECTORY=str(given))
    assert (later.backend, later.get("A")) == ("systemd", SECRET)


def test_metadata_of_an_older_tool_is_understood(home: Path) -> None:
    """Entries without a backend mean the one in use."""
    private(home)
    path = home / "secrets_metadata.json"
    path.write_text('{"A": {"description": "d", "created_at": "2025-01-01T00:00:00"}}')
    path.chmod(0o600)
    vault = vault_at(home)
    assert [(i.key, i.backend, i.exists) for i in vault.infos()] == [("A", "age", False)]
    vault.set("A", SECRET)
    assert metadata(home)["A"]["created_at"] == "2025-01-01T00:00:00"


def test_damaged_metadata_is_said_and_the_values_are_whole(home: Path, vault: LayeredVault) -> None:
    """The hint says what is lost; without the file every value is still there."""
    vault.set("A", SECRET, "d")
    (home / "secrets_metadata.json").write_text('{"A": {')
    with pytest.raises(SecretsError, match="is damaged") as caught:
        vault.set("B", "x")
    assert "values stay" in (caught.value.hint or "")
    assert vault.known().values == {"A": SECRET}
    (home / "secrets_metadata.json").unlink()
    assert vault.get("A") == SECRET


def test_an_entry_of_an_unknown_backend(home: Path, vault: LayeredVault) -> None:
    """An entry that another version wrote is not guessed at."""
    vault.set("A", SECRET)
    text = (home / "secrets_metadata.json").read_text().replace('"age"', '"cloud"')
    (home / "secrets_metadata.json").write_text(text)
    with pytest.raises(SecretsError, match="no vault 'cloud'"):
        vault.get("A")


def test_a_crash_between_entry_and_value_is_seen(home: Path, vault: LayeredVault) -> None:
    """An entry without its value says so; it can be removed or set again."""
    vault.set("A", SECRET)
    age_at(home).delete("A")
    info = vault.info("A")
    assert info is not None
    assert info.exists is False
    assert vault.get("A") is None
    assert vault.delete("A")


def test_a_failed_write_leaves_no_entry(home: Path, vault: LayeredVault) -> None:
    """What could not be kept is not listed."""
    vault.set("A", SECRET)
    (home / "vault.key").unlink()
    with pytest.raises(SecretsError):
        vault.set("B", "x")
    assert list(metadata(home)) == ["A"]


def test_knowing_never_raises(home: Path, vault: LayeredVault) -> None:
    """A vault that cannot be read gives what it can, and the reason."""
    vault.set("A", SECRET)
    home.chmod(0o755)
    known = vault.known()
    assert known.values == {}
    assert "is open to others" in (known.problem or "")


@pytest.mark.parametrize("key", ["", "a-b", "../vault"])
def test_no_method_takes_another_name(vault: LayeredVault, key: str) -> None:
    """Whatever is done with it, a name that cannot be a secret's is refused."""
    for do in (vault.get, vault.delete, vault.info, lambda k: vault.set(k, "v")):
        with pytest.raises(UsageError):
            do(key)
    with pytest.raises(UsageError):
        vault.refer(key, "env:X")


def test_a_copy_that_stays_behind_is_said(home: Path, tmp_path: Path) -> None:
    """A secret that is set anew elsewhere, but cannot be removed where it was, is not kept quiet."""
    given = private(tmp_path / "credentials")
    (given / "A").write_text("of the unit")
    vault_at(home).set("A", SECRET)
    text = (home / "secrets_metadata.json").read_text().replace('"age"', '"systemd"')
    (home / "secrets_metadata.json").write_text(text)
    vault = vault_at(home, "age", CREDENTIALS_DIRECTORY=str(given))
    with pytest.raises(SecretsError, match="the systemd still has its former value"):
        vault.set("A", "other")
    assert vault.get("A") == "other"

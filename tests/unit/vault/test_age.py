"""Secrets in an age file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from penstock.errors import SecretsError
from penstock.vault.backends.age import AgeBackend
from tests.support.vaults import SECRET, age_at, need, private


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of ours."""
    return private(tmp_path / "home")


def test_values_come_back_and_are_nowhere_in_plain(home: Path) -> None:
    """Another object reads what one has written; no file shows it."""
    age_at(home).set("A", SECRET)
    age_at(home).set("B", "other")
    assert age_at(home).get(["A", "B", "C"]) == {"A": SECRET, "B": "other"}
    assert age_at(home).listed() == ("A", "B")
    assert all(b"hunter2" not in path.read_bytes() for path in home.iterdir())


def test_a_removed_value_is_gone(home: Path) -> None:
    """Removing tells whether there was one."""
    age_at(home).set("A", SECRET)
    assert age_at(home).delete("A")
    assert not age_at(home).delete("A")
    assert age_at(home).peek(["A"]) == {}


def test_looking_makes_nothing(home: Path) -> None:
    """A vault without a secret leaves no file."""
    backend = age_at(home / "new")
    assert (backend.problem(), backend.get(["A"]), backend.delete("A")) == (None, {}, False)
    assert list(home.iterdir()) == []


def test_the_files_are_those_of_age(home: Path) -> None:
    """The real age opens the file with the key."""
    age = need("age", "age")
    age_at(home).set("A", SECRET)
    done = subprocess.run(
        [age, "-d", "-i", home / "vault.key", home / "vault.age"], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == {"version": 1, "secrets": {"A": SECRET}}


def test_a_file_cut_anywhere_is_refused_and_left_alone(home: Path) -> None:
    """A truncated file is no empty vault: it is neither read nor written over."""
    age_at(home).set("A", SECRET)
    whole = (home / "vault.age").read_bytes()
    for length in (0, 1, 20, 60, len(whole) // 2, len(whole) - 1):
        (home / "vault.age").write_bytes(whole[:length])
        with pytest.raises(SecretsError):
            age_at(home).set("B", "other")
        assert (home / "vault.age").read_bytes() == whole[:length]
        assert age_at(home).problem() is not None


def test_every_changed_byte_is_noticed(home: Path) -> None:
    """A file that somebody changed is refused."""
    age_at(home).set("A", SECRET)
    whole = (home / "vault.age").read_bytes()
    for at in range(0, len(whole), 7):
        (home / "vault.age").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SecretsError):
            age_at(home).get(["A"])


def test_without_its_key_a_vault_is_shut(home: Path) -> None:
    """A lost key is not replaced by a fresh one, which would lose the secrets for good."""
    age_at(home).set("A", SECRET)
    (home / "vault.key").rename(home / "elsewhere.key")
    with pytest.raises(SecretsError, match=r"its key .* is not") as caught:
        age_at(home).set("B", "other")
    assert "AIM_VAULT_IDENTITY" in (caught.value.hint or "")
    moved = AgeBackend(home / "vault.age", home / "elsewhere.key")
    assert moved.get(["A"]) == {"A": SECRET}


def test_another_key_opens_nothing(home: Path) -> None:
    """The key of another vault is said to be one."""
    age_at(home).set("A", SECRET)
    other = private(home / "other")
    age_at(other).set("B", "x")
    with pytest.raises(SecretsError, match="cannot be opened with"):
        AgeBackend(home / "vault.age", other / "vault.key").get(["A"])


@pytest.mark.parametrize("text", ["", "rubbish", "AGE-SECRET-KEY-1QQ", "\xff"])
def test_a_key_file_without_a_key_is_refused_without_being_shown(home: Path, text: str) -> None:
    """What a broken key file holds is in no message."""
    age_at(home).set("A", SECRET)
    (home / "vault.key").write_text(text, encoding="latin-1")
    with pytest.raises(SecretsError, match="holds no age key") as caught:
        age_at(home).get(["A"])
    assert not text or text not in str(caught.value)


def test_a_foreign_file_is_left_alone(home: Path) -> None:
    """A file that is no age file is never written over."""
    (home / "vault.age").write_text('{"OPENAI": "base64 of another tool"}')
    (home / "vault.age").chmod(0o600)
    with pytest.raises(SecretsError, match="is no age file"):
        age_at(home).set("A", SECRET)
    assert "another tool" in (home / "vault.age").read_text()


def test_a_content_of_another_kind_is_refused(home: Path) -> None:
    """A file that opens but holds something else is damaged."""
    from pyrage import encrypt
    from pyrage.x25519 import Identity

    age_at(home).set("A", SECRET)
    identity = Identity.from_str((home / "vault.key").read_text().splitlines()[-1])
    (home / "vault.age").write_bytes(encrypt(b"[1]", [identity.to_public()]))
    with pytest.raises(SecretsError, match="cannot be opened"):
        age_at(home).get(["A"])


@pytest.mark.parametrize("name", ["vault.age", "vault.key"])
def test_files_that_others_can_read_are_refused(home: Path, name: str) -> None:
    """Both files must be ours alone."""
    age_at(home).set("A", SECRET)
    (home / name).chmod(0o644)
    with pytest.raises(SecretsError, match=r"mode 0644"):
        age_at(home).get(["A"])


def test_a_folder_of_keys_that_others_can_write_is_refused(home: Path) -> None:
    """Where others can put a key in place of ours, no key is taken."""
    keys = private(home / "keys")
    backend = AgeBackend(home / "vault.age", keys / "vault.key")
    backend.set("A", SECRET)
    keys.chmod(0o777)
    with pytest.raises(SecretsError, match="can be written by others"):
        backend.get(["A"])


def test_the_key_may_lie_on_another_medium(home: Path) -> None:
    """A folder that others can only look into is fit for the key: a stick has such modes."""
    keys = private(home / "keys")
    backend = AgeBackend(home / "vault.age", keys / "vault.key")
    backend.set("A", SECRET)
    keys.chmod(0o755)
    assert backend.get(["A"]) == {"A": SECRET}
    assert "keys/vault.key" in backend.describe()

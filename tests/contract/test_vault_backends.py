"""One behaviour for all vaults: the age file, and a real Secret Service."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import SecretsError
from penstock.vault.api import Backend
from penstock.vault.backends.os_keyring import OsKeyring
from tests.support.cli import Said, child
from tests.support.vaults import SECRET, age_at, private, secret_service

AIM = (sys.executable, "-m", "penstock.aim_cli")
VALUES = [
    "plain",
    SECRET,
    "two\nlines\n",
    "ü😀\t\\x00",
    "x" * 20_000,
    " blank around ",
    "-----BEGIN",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Secret Service with an unlocked keyring."""
    with secret_service(tmp_path_factory.mktemp("service")) as variables:
        yield variables


@pytest.fixture(params=["age", "keyring"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Backend:
    """A vault of each kind."""
    if request.param == "age":
        private(tmp_path / "home")
        return age_at(tmp_path / "home")
    address = request.getfixturevalue("service")["DBUS_SESSION_BUS_ADDRESS"]
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setattr("keyring.get_keyring", _secret_service)
    return OsKeyring()


def _secret_service() -> object:
    """Return what the library would find, had it not remembered what it found before."""
    from keyring.backends.SecretService import Keyring

    return Keyring()  # type: ignore[no-untyped-call]  # as the library has it


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_comes_back_to_the_letter(backend: Backend, value: str) -> None:
    """Whatever text it is, of several lines and any length."""
    backend.set("KEPT", value)
    assert backend.problem() is None
    assert backend.get(["KEPT"]) == backend.peek(["KEPT"]) == {"KEPT": value}
    assert backend.delete("KEPT")


def test_the_last_value_counts(backend: Backend) -> None:
    """Setting again replaces, removing removes, and both are told."""
    backend.set("AGAIN", "one")
    backend.set("AGAIN", "two")
    assert backend.get(["AGAIN", "NEVER"]) == {"AGAIN": "two"}
    assert (backend.delete("AGAIN"), backend.delete("AGAIN")) == (True, False)
    assert backend.get(["AGAIN"]) == {}


def test_names_do_not_mix(backend: Backend) -> None:
    """Each name has its own value."""
    for name in ("N1", "N2", "n1"):
        backend.set(name, f"of {name}")
    assert backend.get(["N1", "N2", "n1"]) == {name: f"of {name}" for name in ("N1", "N2", "n1")}
    assert all(backend.delete(name) for name in ("N1", "N2", "n1"))


def aim(service: dict[str, str], home: Path, *args: str, stdin: str | None = None) -> Said:
    """Run `aim secrets` with the keyring's vault, as a user of that session would."""
    env = {**service, "AIM_HOME": str(home), "AIM_VAULT": "auto", "DISPLAY": ""}
    return child("secrets", *args, cwd=home.parent, env=env, program=AIM, stdin=stdin)


def test_the_keyring_is_found_and_used(service: dict[str, str], tmp_path: Path) -> None:
    """Without a word of configuration, secrets go to the running keyring and to no file."""
    home = tmp_path / "home"
    assert (
        aim(service, home, "set", "OF_CLI", "-", stdin=SECRET + "\n").out
        == "Kept OF_CLI (keyring).\n"
    )
    assert aim(service, home, "get", "OF_CLI", "--show").out == SECRET + "\n"
    assert all(b"hunter2" not in p.read_bytes() for p in home.rglob("*") if p.is_file())
    assert not (home / "vault.age").exists()
    doctor = aim(service, home, "doctor", "--json").json
    assert (doctor["ok"], doctor["backend"], doctor["round_trip"]) == (True, "keyring", True)
    assert aim(service, home, "delete", "OF_CLI", "-y").code == 0
    assert aim(service, home, "get", "OF_CLI").code == 1


def test_other_programs_find_the_secret(service: dict[str, str], tmp_path: Path) -> None:
    """It lies under the service `aim-plus`, where the library's own command finds it."""
    aim(service, tmp_path / "home", "set", "SHARED_KEY", "-", stdin="for both")
    done = subprocess.run(
        [sys.executable, "-m", "keyring", "get", "aim-plus", "SHARED_KEY"],
        env={**service, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "for both\n"
    aim(service, tmp_path / "home", "delete", "SHARED_KEY", "-y")


def test_a_locked_keyring_is_no_vault_without_a_display(tmp_path: Path) -> None:
    """Nobody is waited for; the age file takes its place, and the doctor says why."""
    began = time.monotonic()
    with secret_service(tmp_path / "service", unlocked=False) as locked:
        said = aim(locked, tmp_path / "home", "set", "K", "-", stdin="value")
        doctor = aim(locked, tmp_path / "home", "doctor").out
    assert said.out == "Kept K (age).\n"
    assert "no display to ask for its password" in doctor
    assert time.monotonic() - began < 60


def test_a_service_that_vanishes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the bus has gone, reading fails at once and with a reason."""
    with secret_service(tmp_path / "service") as variables:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", variables["DBUS_SESSION_BUS_ADDRESS"])
        monkeypatch.setattr("keyring.get_keyring", _secret_service)
        backend = OsKeyring()
        backend.set("K", "value")
    with pytest.raises(SecretsError, match="the keyring"):
        backend.get(["K"])
    with pytest.raises(SecretsError, match="the keyring"):
        backend.peek(["K"])


def test_secrets_of_a_lost_keyring_are_named(service: dict[str, str], tmp_path: Path) -> None:
    """Where the keyring is out of reach, its secrets are listed as such, and redaction goes on."""
    home = tmp_path / "home"
    aim(service, home, "set", "ELSEWHERE", "-", stdin="value")
    away = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent", "HOME": service["HOME"]}
    said = aim(away, home, "list", "--json")
    assert [(s["key"], s["exists"]) for s in said.json["secrets"]] == [("ELSEWHERE", None)]
    doctor = aim(away, home, "doctor")
    assert doctor.code == 1
    assert "ELSEWHERE cannot be read from keyring now" in doctor.out
    assert aim(away, home, "get", "ELSEWHERE", "--show").code == 2
    aim(service, home, "delete", "ELSEWHERE", "-y")

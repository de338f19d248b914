"""Vaults of scratch folders, and a real Secret Service to keep secrets in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.vault.backends.age import FILE_NAME, KEY_NAME, AgeBackend
from penstock.vault.opening import open_vault
from penstock.vault.vault import LayeredVault

REQUIRE = "PENSTOCK_REQUIRE_REAL"
SECRET = "hunter2-Correct Horse/§+'\"\\"
"""A value with everything that a shell, JSON or a URL would write in another way."""
_SERVICE = (
    'printf "%s" "$KEYRING_PASSWORD" | gnome-keyring-daemon $HOW --components=secrets >/dev/null 2>&1;'
    ' echo "$DBUS_SESSION_BUS_ADDRESS"; cat >/dev/null'
)


def private(folder: Path) -> Path:
    """Make a folder that only we may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def vault_at(home: Path, wish: str | None = "age", **environ: str) -> LayeredVault:
    """Return the vault of a home in an environment that holds nothing else."""
    return open_vault(wish, environ, home)


def age_at(folder: Path) -> AgeBackend:
    """Return an age file in a folder, which need not be there."""
    return AgeBackend(folder / FILE_NAME, folder / KEY_NAME)


def need(program: str, package: str) -> str:
    """Return the path of a program; without it the test ends here."""
    found = shutil.which(program)
    if found is not None:
        return found
    reason = f"{program} is not installed (Debian package {package})"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason} ({REQUIRE}=1)")
    pytest.skip(reason)


@contextmanager
def secret_service(folder: Path, *, unlocked: bool = True) -> Iterator[dict[str, str]]:
    """Run GNOME Keyring on a session bus of its own; give the variables that lead there.

    Without `unlocked` it is running, but asks for a password that nobody is there to give.
    """
    need("gnome-keyring-daemon", "gnome-keyring")
    bus = need("dbus-run-session", "dbus-daemon")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(private(folder)),
        "XDG_RUNTIME_DIR": str(private(folder / "run")),
        "XDG_DATA_HOME": str(private(folder / "data")),
        "KEYRING_PASSWORD": "of the test",
        "HOW": "--unlock" if unlocked else "--start",
    }
    child = subprocess.Popen(
        [bus, "--", "sh", "-c", _SERVICE],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        address = child.stdout.readline().strip()
        try:
            assert address, "the session bus did not start"
            yield {"DBUS_SESSION_BUS_ADDRESS": address, "HOME": env["HOME"]}
        finally:
            child.stdin.close()  # the shell ends, with it the bus, with it the keyring

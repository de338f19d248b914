"""The vault when processes die, write at once, or the disk is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.vaults import private, vault_at

WRITER = """
import sys
from pathlib import Path
from penstock.vault.opening import open_vault
vault = open_vault("age", {}, Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    vault.set(f"{sys.argv[2]}_{number}", f"value of {sys.argv[2]} {number}")
    print(number, flush=True)
"""
FULL = """
import resource, signal, sys
from pathlib import Path
from penstock.errors import SecretsError
from penstock.vault.opening import open_vault
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
vault = open_vault("age", {}, Path(sys.argv[1]))
for number in range(100):
    try:
        vault.set(f"K{number}", "x" * 40)
    except SecretsError as error:
        sys.exit(f"{number} {error}")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a user."""
    return private(tmp_path / "home")


def writer(home: Path, name: str, count: int) -> subprocess.Popen[str]:
    """Start a process that keeps secrets one after the other and tells when each is kept."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def expected(name: str, count: int) -> dict[str, str]:
    """Return what a writer has kept after so many."""
    return {f"{name}_{number}": f"value of {name} {number}" for number in range(count)}


def test_of_several_writers_none_loses_a_secret(home: Path) -> None:
    """Processes that write at once wait for each other; the key is made once."""
    writers = [writer(home, name, 12) for name in ("A", "B", "C")]
    for one in writers:
        one.communicate(timeout=60)
        assert one.returncode == 0
    assert vault_at(home).values() == expected("A", 12) | expected("B", 12) | expected("C", 12)


@pytest.mark.parametrize("after", [1, 3, 7])
def test_a_killed_writer_loses_nothing_that_it_had_kept(home: Path, after: int) -> None:
    """After kill -9 at any moment the vault opens, holds all that was told, and can be written."""
    with writer(home, "A", 10_000) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]
    kept = vault_at(home).values()
    assert kept.items() >= expected("A", len(told)).items()
    vault_at(home).set("B", "value")
    left = {path.name for path in home.iterdir()}
    assert left == {".vault.lock", "secrets_metadata.json", "vault.age", "vault.key"}


def test_a_full_disk_leaves_the_vault_as_it_was(home: Path) -> None:
    """The write that does not fit fails with its reason; all before it is there."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home)], capture_output=True, text=True, check=False
    )
    number, _, reason = done.stderr.partition(" ")
    assert "cannot write" in reason, done.stderr
    assert "File too large" in reason
    assert vault_at(home).values() == {f"K{n}": "x" * 40 for n in range(int(number))}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_write_permission(home: Path) -> None:
    """Reading still works where nothing can be written."""
    vault_at(home).set("A", "value")
    home.chmod(0o500)
    assert vault_at(home).values() == {"A": "value"}
    home.chmod(0o700)

"""The set-up scripts on machines that lack something, and on their second run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    ROOT / name for name in ("scripts/test", "scripts/demo", ".ci/run", ".ci/install-clients")
]
CORE = ("bash", "env", "cat", "dirname", "flock", "grep", "ln", "mkdir", "rm", "tail", "cksum")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine whose PATH has the core utilities and nothing else; returns its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in CORE:
        found = shutil.which(name)
        assert found, f"{name} is needed by this test"
        folder.joinpath(name).symlink_to(found)
    return tmp_path


def add(machine: Path, name: str, script: str) -> None:
    """Put a command onto the machine."""
    command = machine / "bin" / name
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def call(machine: Path, argv: Iterable[str | Path], **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the least environment that a script may count on."""
    least = {"PATH": str(machine / "bin"), "HOME": str(machine), **env}
    return subprocess.run(
        [str(part) for part in argv], env=least, capture_output=True, text=True, timeout=60,
        cwd=machine, check=False,
    )  # fmt: skip


def shared(machine: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash with the functions that the scripts share."""
    code = f"set -euo pipefail; source '{ROOT}/scripts/_venv.sh'; {line}"
    return call(machine, ["bash", "-c", code])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_whole(script: Path) -> None:
    """Every script is executable, and bash can read it to its end."""
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_a_dead_python_is_passed_over(machine: Path) -> None:
    """A version manager's shim that starts nothing is not taken for a Python."""
    minor = sys.version_info.minor
    add(machine, f"python3.{minor + 1}", "exit 127")
    add(machine, f"python3.{minor}", f'exec "{sys.executable}" "$@"')
    found = shared(machine, "find_python 11 99")
    assert found.stdout.strip() == str(machine / "bin" / f"python3.{minor}")


def test_a_python_that_is_too_new_is_passed_over(machine: Path) -> None:
    """Where a client takes no newer Python, one is not offered."""
    add(machine, "python3", f'exec "{sys.executable}" "$@"')
    assert shared(machine, "find_python 2 3").returncode == 1
    assert shared(machine, "find_python 11 99").returncode == 0


def test_no_python_is_said(machine: Path) -> None:
    """Without a Python the script says what is missing and how to get it."""
    done = shared(machine, "make_venv env 11 99")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_quiet_unless_it_fails(machine: Path) -> None:
    """Output of an installation is shown only when it fails, and then its end is."""
    assert shared(machine, "quietly log echo hello").stdout == ""
    done = shared(machine, "quietly log bash -c 'echo why; exit 3'")
    assert done.returncode == 1
    assert "why" in done.stderr


def test_demo_needs_git(machine: Path) -> None:
    """The demonstration says at once that git is missing."""
    done = call(machine, ["bash", ROOT / "scripts" / "demo"])
    assert (done.returncode, done.stderr) == (1, "git is needed and was not found on PATH.\n")


def test_clients_without_node(machine: Path) -> None:
    """Without Node and Python the installer says so; it fails only where the clients are required."""
    place = str(machine / "clients")
    done = call(machine, [SCRIPTS[3]], PENSTOCK_CLIENTS=place)
    assert (done.returncode, done.stdout.strip()) == (0, f"{place}/bin")
    assert "claude needs Node" in done.stderr
    assert "aider needs Python" in done.stderr
    required = call(machine, [SCRIPTS[3]], PENSTOCK_CLIENTS=place, PENSTOCK_REQUIRE_REAL="1")
    assert required.returncode == 1


def installed(place: Path, client: str, version: str) -> Path:
    """Leave what a finished installation leaves."""
    place.joinpath(client).mkdir(parents=True)
    place.joinpath(client, ".installed").write_text(version)
    place.joinpath("bin").mkdir(exist_ok=True)
    command = place / "bin" / client
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return command


def versions() -> dict[str, str]:
    """The versions that the installer names."""
    lines = SCRIPTS[3].read_text().splitlines()
    return {
        line.partition("_version=")[0]: line.partition("_version=")[2]
        for line in lines
        if "_version=" in line
    }


def test_second_run_installs_nothing(machine: Path) -> None:
    """Where every client is there in its version, nothing is installed again."""
    place = machine / "clients"
    for client, version in versions().items():
        installed(place, client, version)
    done = call(machine, [SCRIPTS[3]], PENSTOCK_CLIENTS=str(place), PENSTOCK_REQUIRE_REAL="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(place / "bin")


def test_another_version_is_installed_again(machine: Path) -> None:
    """A client of another version, or half an installation, is torn down and made anew."""
    place = machine / "clients"
    installed(place, "codex", "0.0.1")
    add(machine, "node", "exit 0")
    add(machine, "npm", 'echo "npm $*" >> "$HOME/calls"; exit 1')
    done = call(machine, [SCRIPTS[3]], PENSTOCK_CLIENTS=str(place))
    assert "codex" in done.stderr
    assert "npm init -y" in (machine / "calls").read_text()
    assert not place.joinpath("codex", ".installed").exists()

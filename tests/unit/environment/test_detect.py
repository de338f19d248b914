"""Finding AI coding CLIs, lying and hanging ones included."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from penstock.environment.detect import AI_CLIS, Cli, find_clis


def program(folder: Path, name: str, body: str) -> Cli:
    """Put an executable on the path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return Cli(tool_id=name, executable=name, install=f"get {name}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose PATH begins with the folder."""
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), **more}


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ("echo 'aider 0.86.2'", "0.86.2"),
        ("echo 2.1.329 '(Claude Code)'", "2.1.329"),
        ("echo codex-cli 0.169.0-alpha.1", "0.169.0-alpha.1"),
        ("echo no number here", None),
        ("echo 1.2.3 >&2; exit 1", None),
        ("printf '\\377\\376 1.2'", "1.2"),
        ("kill -9 $$", None),
    ],
)
def test_versions_are_read(tmp_path: Path, body: str, version: str | None) -> None:
    """The first version number on stdout counts; anything else is an unknown version."""
    cli = program(tmp_path, "tool", body)
    (found,) = find_clis([cli], environment=environment(tmp_path))
    assert (found.path, found.version) == (str(tmp_path / "tool"), version)


def test_a_hanging_cli_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    """Several that hang are asked at once and given up together."""
    clis = [program(tmp_path, f"slow{n}", "sleep 60") for n in range(6)]
    start = time.monotonic()
    found = find_clis(clis, environment=environment(tmp_path), limit_s=0.5)
    assert time.monotonic() - start < 10
    assert [cli.version for cli in found] == [None] * 6
    assert all(cli.path for cli in found)


def test_a_missing_cli_names_its_install_command(tmp_path: Path) -> None:
    """What is not on PATH is missing and says how to get it."""
    found = find_clis(environment={"PATH": str(tmp_path)})
    assert [cli.path for cli in found] == [None] * len(AI_CLIS)
    assert all(cli.install for cli in found)
    assert find_clis([], environment={}) == ()


def test_keys_are_not_handed_to_what_is_asked(tmp_path: Path) -> None:
    """Naming a version takes no secret, so none is given."""
    cli = program(tmp_path, "spy", 'echo "1.0${OPENAI_API_KEY}"')
    given = environment(tmp_path, OPENAI_API_KEY=".666")
    assert find_clis([cli], environment=given)[0].version == "1.0"


def test_what_cannot_be_started_is_found_without_a_version(tmp_path: Path) -> None:
    """A program for another machine is there, but says nothing."""
    path = tmp_path / "odd"
    path.write_bytes(b"\x7fELF not really")
    path.chmod(0o755)
    cli = Cli(tool_id="odd", executable="odd", install="")
    assert find_clis([cli], environment=environment(tmp_path))[0].version is None

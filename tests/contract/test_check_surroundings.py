"""Checks get the ports and the temporary folder of their workstream, and tell of their process."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.process.api import Stop
from tests.support.checking import PlainFilter, Scene

SHOW = '#!/bin/sh\nenv > "{}"\n'


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A repository with an empty worktree."""
    return Scene(tmp_path)


def shown(scene: Scene, step: str, given: dict[str, str], **profile: object) -> dict[str, str]:
    """Run a check of a step that shows its environment, and return that."""
    seen = scene.root / "seen"
    scene.tool("show", SHOW.format(seen), **profile)
    (check,), _ = scene.plan(step, **{f"{step}_tools": ("show",)})
    pids: list[int] = []
    context = msgspec.structs.replace(
        scene.context(), env=given, on_start=lambda pid, _start: pids.append(pid)
    )
    assert scene.checks().run(check, context, Stop(), PlainFilter).passed
    assert len(pids) == 1
    pairs = (line.partition("=") for line in seen.read_text().splitlines())
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("step", ["static", "runtime"])
def test_every_check_gets_them(scene: Scene, tmp_path: Path, step: str) -> None:
    """The workstream's folder takes the place of the check's own."""
    given = {"PENSTOCK_PORT_BASE": "20040", "PENSTOCK_PORT_COUNT": "20", "TMPDIR": str(tmp_path)}
    env = shown(scene, step, given)
    assert {name: env.get(name) for name in given} == given


def test_a_profile_has_the_last_word(scene: Scene) -> None:
    """What the user wrote down for a tool stands over what we choose."""
    env = shown(scene, "static", {"TMPDIR": "/tmp/ours"}, env={"TMPDIR": "/tmp/theirs"})
    assert env["TMPDIR"] == "/tmp/theirs"


def test_without_a_workstream_nothing_changes(scene: Scene) -> None:
    """A check on its own has a temporary folder of its own and no ports."""
    env = shown(scene, "static", {})
    assert "PENSTOCK_PORT_BASE" not in env
    assert Path(env["TMPDIR"]).name.startswith("penstock-")

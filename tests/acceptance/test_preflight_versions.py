"""The look before a run with pins and scans: tools brought to their versions by the real pip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.cli.main import main
from penstock.wiring import open_workspace
from tests.support.cli import Said, bundle, write_bundles
from tests.support.packages import Machine, make_wheel
from tests.support.venvs import site_packages

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
NO_CHECKS = '{"static_tools": [], "runtime_tools": []}'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose repository has a bundle, an environment with pip, and two wheels to be had."""
    made = Machine(tmp_path, monkeypatch)
    made.use_pip()
    make_wheel(made.wheels, "demo-tool", "1.0", "2.0")
    write_bundles(made.repo, bundle("ws-one"))
    (made.repo / "config").mkdir(exist_ok=True)
    (made.repo / "config" / "pipeline.yaml").write_text(NO_CHECKS, encoding="utf-8")
    return made


def run(capsys: pytest.CaptureFixture[str], *more: str) -> Said:
    """Run the bundle as run-1."""
    capsys.readouterr()
    code = main(("run", "ws-one", "--run-id", "run-1", *more))
    out, err = capsys.readouterr()
    return Said(code, out, err)


def kept(machine: Machine) -> dict[str, Any]:
    """Return what the run keeps of the look before it."""
    with open_workspace(machine.repo) as workspace:
        events = workspace.reader.list_events(run_id="run-1")
        return next(dict(e.payload) for e in events if e.event_type == "preflight")


def installed(machine: Machine) -> list[str]:
    """Return the demo-tool that the environment has, as name and version."""
    return [p.stem for p in site_packages(machine.repo / ".venv").glob("demo_tool-*.dist-info")]


def test_without_the_wish_nothing_is_installed(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing tool is drift, which warns, says what to do, and is no obstacle."""
    machine.pin(pip={"demo-tool": "1.0"})
    said = run(capsys)
    assert said.code == 0, said.err
    assert "demo-tool is missing, pinned 1.0" in said.err
    assert "penstock run --auto-sync" in said.err
    assert (installed(machine), kept(machine)["version_drift"]) == ([], 1)


@pytest.mark.parametrize("wish", ["option", "setting"])
def test_tools_are_brought_to_their_pins_first(
    machine: Machine, capsys: pytest.CaptureFixture[str], wish: str
) -> None:
    """By option or by setting; what was installed is shown and kept with the run."""
    preflight = {"auto_sync": wish == "setting"}
    machine.configure(versionPins={"pip": {"demo-tool": "1.0"}}, preflight=preflight)
    said = run(capsys, *(["--auto-sync"] if wish == "option" else []))
    assert said.code == 0, said.err
    assert "synced  demo-tool 1.0 (pip)" in said.err
    assert installed(machine) == ["demo_tool-1.0"]
    told = kept(machine)
    assert (told["version_drift"], told["synced"]) == (0, ["demo-tool 1.0 (pip)"])


def test_what_is_as_pinned_is_left_alone(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run has nothing to install and nothing to say."""
    machine.pin(pip={"demo-tool": "1.0"})
    run(capsys, "--auto-sync")
    capsys.readouterr()
    assert main(("run", "ws-one", "--run-id", "run-2", "--auto-sync")) == 0
    assert "synced" not in capsys.readouterr().err


def test_a_sync_that_fails_stops_the_run(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who wants certain versions does not get a run with others; what was before is there again."""
    machine.pin(pip={"demo-tool": "2.0", "no-such-thing": "1.0"})
    said = run(capsys, "--auto-sync")
    assert said.code == 2
    assert "sync: tools could not be brought to their pins" in said.err
    assert "aim version sync shows each command" in said.err
    assert installed(machine) == []


def test_a_scan_when_it_is_wanted(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret among the files warns, figures are kept with the run, and the value goes nowhere."""
    (machine.repo / "settings.py").write_text(f'TOKEN = "{TOKEN}"\n', encoding="utf-8")
    machine.configure(preflight={"scan": True})
    said = run(capsys)
    assert said.code == 0, said.err
    assert "warn  scan: secrets 1" in said.err
    assert kept(machine)["scan"]["secrets"] == 1
    assert TOKEN not in said.out + said.err + str(kept(machine))


def test_no_scan_when_nobody_wants_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """It would take longer than the rest together."""
    run(capsys)
    assert kept(machine)["scan"] is None

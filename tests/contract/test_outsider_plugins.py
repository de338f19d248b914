"""Plugins of others, installed by pip into penstock's environment or lying in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.outsiders import TABS, OutsideWorld
from tests.support.repofiles import write_files

ONLY = ("--no-cache", "--only", "outsider_tabs")


@pytest.fixture
def world(tmp_path: Path) -> OutsideWorld:
    """Return a repository with a file that has a tab, and an environment with penstock alone."""
    return OutsideWorld(tmp_path)


def test_an_installed_plugin_checks_files(world: OutsideWorld) -> None:
    """An entry point is all that it needs: it is listed, runs, and fails the file."""
    world.install("outsider", TABS)
    done = world.penstock("check", *ONLY, "bad.txt", "ok.txt")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "bad.txt: FAILED | errors=1 warnings=0" in done.stdout
    assert "bad.txt:2:1: error TAB a tab" in done.stdout
    assert "ok.txt: PASSED" in done.stdout
    listed = world.penstock("check", "--list", "--json")
    assert "entry point outsider:register" in listed.stdout


def test_what_is_kept_goes_with_its_plugin(world: OutsideWorld) -> None:
    """A kept failure fails again, and is of no use once the plugin is gone."""
    world.install("outsider", TABS)
    for _ in range(2):
        assert world.penstock("check", "--only", "outsider_tabs", "bad.txt").returncode == 1
    world.uninstall("outsider")
    gone = world.penstock("check", "--only", "outsider_tabs", "bad.txt")
    assert gone.returncode == 2
    assert "outsider_tabs" in gone.stderr


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("raise RuntimeError('no luck')\n", "", "RuntimeError: no luck"),
        ("import sys\n\n\ndef register():\n    sys.exit(3)\n", "", "SystemExit"),
        ("def register():\n    return 5\n", "", "has no manifest"),
        (TABS, "broken:nothing", "nothing"),
        (TABS.replace('"name": "No tabs", ', ""), "", "its manifest is wrong"),
    ],
)
def test_a_broken_plugin_is_a_line(
    world: OutsideWorld, source: str, target: str, said: str
) -> None:
    """One that cannot be loaded is told of, and keeps no other from its work."""
    world.install("broken", source, target)
    world.install("outsider", TABS)
    done = world.penstock("check", *ONLY, "bad.txt")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "bad.txt: FAILED" in done.stdout
    assert said in done.stdout + done.stderr


def test_a_plugin_that_dies_on_a_file_is_no_pass(world: OutsideWorld) -> None:
    """What its code raises is an error on the file."""
    world.install("outsider", TABS.replace("read_text()", "read_test()"))
    done = world.penstock("check", *ONLY, "ok.txt")
    assert done.returncode == 1
    assert "plugin-failed" in done.stdout
    assert "read_test" in done.stdout


def test_a_plugin_in_a_folder_checks_files(world: OutsideWorld, tmp_path: Path) -> None:
    """A folder of PIPELINE_ERROR_PLUGINS_PATH may hold code; the repository may not."""
    manifest = {"plugin_id": "outsider_tabs", "name": "No tabs", "file_extensions": ["txt"]}
    files = {"manifest.json": json.dumps(manifest), "plugin.py": TABS}
    write_files(tmp_path / "mine" / "outsider_tabs", files)
    folder = {"PIPELINE_ERROR_PLUGINS_PATH": str(tmp_path / "mine")}
    done = world.penstock("check", *ONLY, "bad.txt", **folder)
    assert "bad.txt:2:1: error TAB a tab" in done.stdout, done.stdout + done.stderr
    write_files(world.repo / "config" / "error_plugins" / "outsider_tabs", files)
    refused = world.penstock("check", "--no-cache", "--only", "echo", "bad.txt")
    assert "code is not run from there" in refused.stdout + refused.stderr

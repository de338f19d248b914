"""Pins are written into aim_config, and nothing else in it is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.config.documents import ConfigFileError, load_document
from penstock.environment.api import Manager, ToolVersion, VersionReport, VersionStatus
from penstock.environment.versions.pinfile import pins_of, write_pins
from penstock.errors import EnvironmentProblem
from tests.support.packages import no_larger_than

PINS = {"npm": {"@a/b": "1.2.3"}, "pipx": {"ruff": "0.17.5"}}
YAML = """\
# tools of the team
enable_aim: true   # for all
environment:
  pipxApps: [ruff]
  versionPins:
    npm:
      "@a/b": 1.0.0   # the last good one
      other: ^2
audit: {enabled: true}
"""
JSON = """\
{
    // tools of the team
    "environment": {
        "npmGlobal": ["@a/b", "other"],
        "versionPins": {"npm": {"@a/b": "1.0.0", "other": "^2"}}
    },
    "enable_aim": true
}
"""


def pins_in(path: Path) -> object:
    """Return the pins of a file."""
    document = load_document(path)
    return None if document is None else document.value["environment"]["versionPins"]


@pytest.mark.parametrize(("name", "text"), [("aim_config.yaml", YAML), ("aim_config.json", JSON)])
def test_comments_order_and_other_pins_stay(tmp_path: Path, name: str, text: str) -> None:
    """Only the versions that differ are written, new managers beside the others."""
    path = tmp_path / name
    path.write_text(text)
    report = write_pins(PINS, [path], tmp_path)
    assert (report.files, report.changed) == ((name,), 2)
    assert pins_in(path) == {
        "npm": {"@a/b": "1.2.3", "other": "^2"},
        "pipx": {"ruff": "0.17.5"},
    }
    after = path.read_text()
    assert "tools of the team" in after
    assert [line for line in text.splitlines() if "enable" in line] == [
        line for line in after.splitlines() if "enable" in line
    ]


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    """A file that has the pins is not even written."""
    path = tmp_path / "aim_config.yaml"
    path.write_text(YAML)
    write_pins(PINS, [path], tmp_path)
    before = path.stat()
    assert write_pins(PINS, [path], tmp_path).changed == 0
    assert path.stat().st_ino == before.st_ino


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    """With its folder, and nothing but the pins in it."""
    path = tmp_path / "config" / "aim_config.json"
    assert write_pins(PINS, [path], tmp_path).files == ("config/aim_config.json",)
    assert json.loads(path.read_text()) == {"environment": {"versionPins": PINS}}


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """It tells how many pins would be changed."""
    report = write_pins(PINS, [tmp_path / "new.yaml"], tmp_path, dry_run=True)
    assert report.changed == 2
    assert list(tmp_path.iterdir()) == []


def test_mode_and_links_stay(tmp_path: Path) -> None:
    """What is written through a link is the file that it leads to."""
    real, link = tmp_path / "real.json", tmp_path / "aim_config.json"
    real.write_text("{}")
    real.chmod(0o640)
    link.symlink_to(real)
    write_pins(PINS, [link], tmp_path)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert pins_in(real) == PINS


@pytest.mark.parametrize(
    "text", ["{", '{"environment": []}', '{"environment": {"versionPins": 1}}']
)
def test_a_file_that_cannot_hold_pins_is_refused(tmp_path: Path, text: str) -> None:
    """And stays as it is; so does the other one beside it."""
    good, bad = tmp_path / "a.json", tmp_path / "b.json"
    good.write_text("{}")
    bad.write_text(text)
    with pytest.raises(ConfigFileError):
        write_pins(PINS, [good, bad], tmp_path)
    assert (good.read_text(), bad.read_text()) == ("{}", text)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """What cannot be written whole is not written at all, and said with its path."""
    path = tmp_path / "aim_config.json"
    path.write_text("{}")
    many = {"npm": {f"package-{n}": "1.0.0" for n in range(500)}}
    with no_larger_than(4096), pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_pins(many, [path], tmp_path)
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_installed_is_pinned() -> None:
    """Pinned or not; of pip what nobody pinned only when pip is asked for."""
    rows = [
        ("a", Manager.NPM, "1", "ok"), ("b", Manager.NPM, "2", "unexpected"),
        ("c", Manager.PIP, "3", "drift"), ("d", Manager.PIP, "4", "unexpected"),
        ("e", Manager.PIPX, None, "missing"),
    ]  # fmt: skip
    tools = tuple(
        ToolVersion(tool=name, manager=m, installed=version, status=VersionStatus(status))
        for name, m, version, status in rows
    )
    report = VersionReport(timestamp="2026-01-01T00:00:00Z", tools=tools)
    assert pins_of(report, ()) == {"npm": {"a": "1", "b": "2"}, "pip": {"c": "3"}}
    assert pins_of(report, (Manager.PIP,))["pip"] == {"c": "3", "d": "4"}

"""aim_config as a whole: every setting with its origin, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.config.survey import PACKAGED, Setting, Survey, Verdict
from penstock.registry.survey import check_config, check_file, survey_config
from tests.support.registries import AIDER, FOLDER, RULES, write_config, write_json

NAME = "config/aim_config.json"


def settings(root: Path, **environ: str) -> dict[str, Setting]:
    """Return the settings by key, with these variables only."""
    return {setting.key: setting for setting in survey_config(root, environ).settings}


def verdict(root: Path, environ: Mapping[str, str] | None = None) -> Verdict:
    """Check the configuration, with these variables only."""
    return check_config(root, environ or {})


def put(root: Path, text: str, name: str = NAME) -> Path:
    """Write a file as it is."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# -- where values come from --------------------------------------------------------------------
def test_without_a_file_everything_is_a_packaged_default(tmp_path: Path) -> None:
    """All sections are listed down to their last key."""
    found = settings(tmp_path)
    assert {setting.origin for setting in found.values()} == {PACKAGED}
    assert found["environment.scanner.minSizeKB"].value == 100
    assert found["environment.versionPins.npm"].value == {}
    assert found["registry.tools"].value == {}
    assert survey_config(tmp_path, {}).source is None


def test_a_value_of_a_file_has_its_place(tmp_path: Path) -> None:
    """File, line and column are told, of entries of the user's own naming too."""
    put(tmp_path, '{\n  "enable_aim": false,\n  "environment": {"versionPins":'
                  ' {"npm": {"@openai/codex": "1.2"}}}\n}')  # fmt: skip
    found = settings(tmp_path)
    assert found["enable_aim"].origin == f"{NAME}:2:3"
    pin = found["environment.versionPins.npm.@openai/codex"]
    assert (pin.value, pin.file, pin.line, pin.column) == ("1.2", NAME, 3, 43)
    assert found["default_timeout_ms"].origin == PACKAGED
    assert "environment.versionPins.npm" not in found


def test_yaml_has_its_places_too(tmp_path: Path) -> None:
    """A YAML file is told with line and column as well."""
    put(tmp_path, "environment:\n  toolsRoot: x\n", "aim/config/aim_config.yaml")
    place = settings(tmp_path)["environment.toolsRoot"]
    assert place.origin == "aim/config/aim_config.yaml:2:3"


def test_variables_are_named_and_filled(tmp_path: Path) -> None:
    """A value that holds variables is shown filled, with the ones that count."""
    write_config(tmp_path, {"environment": {"toolsRoot": "$BASE/%KIND%/$NOT",
                                            "pipxApps": ["$KIND-x", "y"]}})  # fmt: skip
    found = settings(tmp_path, BASE="/opt", KIND="ai")
    assert found["environment.toolsRoot"].value == "/opt/ai/$NOT"
    assert found["environment.toolsRoot"].origin.endswith(" with $BASE, $KIND")
    assert found["environment.pipxApps"].value == ["ai-x", "y"]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """What a variable decides is said to come from it."""
    write_config(tmp_path, {"environment": {"secretsVault": "keyring"}})
    found = settings(tmp_path, AIM_VAULT="age")
    assert found["environment.secretsVault"].value == "age"
    assert found["environment.secretsVault"].origin == "environment AIM_VAULT"
    assert found["environment.secretsVault"].line is None


def test_the_alias_of_a_switch_counts_for_it(tmp_path: Path) -> None:
    """`audit.enabled` is what enable_audit_logging is, with its place."""
    write_config(tmp_path, {"audit": {"enabled": False}})
    found = settings(tmp_path)["enable_audit_logging"]
    assert (found.value, found.origin) == (False, f"{NAME}:1:12")


def test_the_overlay_is_shown_as_it_is_written(tmp_path: Path) -> None:
    """Tools and capabilities are listed key by key, and nothing that nobody wrote."""
    overlay = {"tools": {"codex": {"pinnedVersion": "1.0"}, "aider": {}},
               "capabilities": {"linting": {"primaryTool": "pylint"}}}  # fmt: skip
    write_config(tmp_path, {"registry": overlay})
    found = [key for key in settings(tmp_path) if key.startswith("registry.")]
    assert found == ["registry.tools.codex.pinnedVersion", "registry.tools.aider",
                     "registry.capabilities.linting.primaryTool",
                     "registry.crossToolRulesPath"]  # fmt: skip


def test_files_that_do_not_count_are_named(tmp_path: Path) -> None:
    """A file of the other folder is passed over; one beside that agrees counts as well."""
    write_config(tmp_path, {"enable_aim": True})
    write_config(tmp_path, {"enable_aim": True}, "config/aim_config.yaml")
    write_config(tmp_path, {}, "aim/config/aim_config.json")
    found: Survey = survey_config(tmp_path, {})
    assert (found.source, found.passed_over) == (NAME, ("aim/config/aim_config.json",))


# -- what is wrong -----------------------------------------------------------------------------
def test_every_error_of_every_file_is_listed(tmp_path: Path) -> None:
    """Each with file, line, column and key, in the order of the file."""
    put(tmp_path, '{\n "enable_ami": true,\n "audit": {"events": ["dance"]}\n}')
    put(tmp_path, "version: [1]\n", "aim/config/aim_config.yaml")
    found = verdict(tmp_path)
    assert [(e.file, e.line, e.column, e.key) for e in found.errors] == [
        (NAME, 2, 2, "enable_ami"),
        (NAME, 3, 23, "audit.events[0]"),
        ("aim/config/aim_config.yaml", 1, 1, "version"),
    ]
    assert found.errors[0].words == f"{NAME}:2:2: enable_ami: unknown key; did you mean enable_aim?"


WRONG: dict[str, tuple[Any, str]] = {
    "no tool": ({"registry": {"capabilities": {"linting": {"primaryTool": "nobody"}}}}, "'nobody'"),
    "half a tool": ({"registry": {"tools": {"mine": {"name": "x"}}}}, "detectCommands is missing"),
    "registry": ({"registry_path": "gone"}, "there is no AIM registry"),
    "two switches": ({"enable_audit_logging": True, "audit": {"enabled": False}}, "is False, but"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_as_a_whole(tmp_path: Path, case: str) -> None:
    """Tools that nobody knows, half entries, a registry that is not there, switches that differ."""
    given, expected = WRONG[case]
    write_config(tmp_path, given)
    found = verdict(tmp_path)
    assert not found.ok
    assert expected in found.errors[0].message


def test_the_rules_that_it_leads_to_are_looked_at(tmp_path: Path) -> None:
    """An error of the registry's own files is told with their place."""
    write_json(tmp_path / FOLDER / "AIM_registry.json", {"tools": {"aider": AIDER}})
    write_json(tmp_path / FOLDER / RULES, {"capabilities": {"x": {"primary": "a", "retries": 1}}})
    error = verdict(tmp_path).errors[0]
    assert (error.file, error.line, error.column) == (f"{FOLDER}/{RULES}", 1, 41)
    assert "unknown key" in error.message


def test_files_that_differ_and_broken_ones(tmp_path: Path) -> None:
    """A syntax error has its place; two files side by side that differ are an error."""
    put(tmp_path, '{"enable_aim": }')
    assert verdict(tmp_path).errors[0].words.startswith(f"{NAME}:1:16: Expecting value")
    write_config(tmp_path, {"enable_aim": True})
    write_config(tmp_path, {"enable_aim": False}, "config/aim_config.yaml")
    error = verdict(tmp_path).errors[0]
    assert (error.key, error.message) == ("enable_aim", "differs from config/aim_config.yaml")


def test_what_only_looks_wrong_is_a_warning(tmp_path: Path) -> None:
    """Variables that are not set, and a file that is not read, do not make it invalid."""
    write_config(tmp_path, {"environment": {"toolsRoot": "%NOWHERE%/x", "pipxApps": ["$A", "b"]}})
    write_config(tmp_path, {"enable_aim": False}, "aim/config/aim_config.json")
    put(tmp_path, "# nothing\n", "aim/config/aim_config.yaml")
    found = verdict(tmp_path)
    assert found.ok
    assert [(w.file, w.key) for w in found.warnings] == [
        (NAME, "environment.toolsRoot"),
        (NAME, "environment.pipxApps[0]"),
        ("aim/config/aim_config.json", ""),
    ]


def test_one_file_alone(tmp_path: Path) -> None:
    """Any file can be held against the schema; one that is not there is an error."""
    path = put(tmp_path, '{"enable_aim": 1}', "mine.json")
    assert [error.file for error in check_file(path, tmp_path).errors] == ["mine.json"]
    missing = check_file(tmp_path / "none.json", tmp_path)
    assert "there is no such file" in missing.errors[0].message
    assert check_file(put(tmp_path, "{}", "good.json"), tmp_path).ok

"""aim_config: the switches, its sections, and two files side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.config.documents import ConfigFileError
from penstock.model.capability import AimSwitches
from penstock.registry.api import AUDIT_EVENTS, AimSettings
from penstock.registry.settings import load_aim_settings
from tests.support.registries import write_config

JSON, YAML, YML = (f"config/aim_config.{ending}" for ending in ("json", "yaml", "yml"))


def settings_of(root: Path, **environ: str) -> AimSettings:
    """Return the settings with these variables only."""
    return load_aim_settings(root, environ)


def test_without_a_file_the_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    """AIM and its trail are on, 30 days are kept, 30 s are the default, the registry is found."""
    settings = settings_of(tmp_path)
    assert settings.switches == AimSwitches()
    assert msgspec.to_builtins(settings.switches) == {
        "enable_aim": True,
        "enable_audit_logging": True,
        "audit_log_retention_days": 30,
        "default_timeout_ms": 30000,
        "registry_path": "auto",
    }
    assert settings.audit.events == AUDIT_EVENTS
    assert settings.source is None


@pytest.mark.parametrize("name", [JSON, YAML, YML, "aim/config/aim_config.json"])
def test_the_five_switches_are_read(name: str, tmp_path: Path) -> None:
    """From JSON and YAML, in `config/` and in `aim/config/`."""
    given = {
        "version": "1.0",
        "enable_aim": False,
        "enable_audit_logging": False,
        "audit_log_retention_days": 7,
        "default_timeout_ms": 60000,
        "registry_path": "elsewhere",
    }
    write_config(tmp_path, given, name)
    settings = settings_of(tmp_path)
    assert msgspec.to_builtins(settings.switches) == {
        k: v for k, v in given.items() if k != "version"
    }
    assert (settings.source, settings.version) == (name, "1.0")


def test_config_comes_before_aim_config(tmp_path: Path) -> None:
    """The other folder is read only when the first has none."""
    write_config(tmp_path, {"enable_aim": False}, "aim/config/aim_config.yaml")
    write_config(tmp_path, {}, JSON)
    assert settings_of(tmp_path).switches.enable_aim


def test_an_empty_file_is_no_file(tmp_path: Path) -> None:
    """Comments alone change nothing."""
    path = tmp_path / YAML
    path.parent.mkdir()
    path.write_text("# nothing yet\n", encoding="utf-8")
    assert settings_of(tmp_path) == AimSettings()


def test_files_side_by_side_that_agree(tmp_path: Path) -> None:
    """The same values in JSON and YAML are no error, comments aside."""
    write_config(tmp_path, {"default_timeout_ms": 5, "_comment": "x"}, JSON)
    write_config(tmp_path, {"default_timeout_ms": 5}, YAML)
    assert settings_of(tmp_path).switches.default_timeout_ms == 5


def test_files_side_by_side_that_differ(tmp_path: Path) -> None:
    """Every key in which they differ is listed."""
    write_config(tmp_path, {"enable_aim": True, "audit": {"logPath": "a"}}, JSON)
    write_config(tmp_path, {"enable_aim": False, "audit": {"logPath": "b"}, "version": "2"}, YAML)
    with pytest.raises(ConfigFileError) as caught:
        settings_of(tmp_path)
    text = str(caught.value)
    for key in ("enable_aim", "audit.logPath", "version"):
        assert f"{key}: differs from {YAML}" in text


def test_one_switch_for_auditing(tmp_path: Path) -> None:
    """`audit.enabled` is an alias; the two may not contradict each other."""
    write_config(tmp_path, {"audit": {"enabled": False}})
    assert not settings_of(tmp_path).switches.enable_audit_logging
    write_config(tmp_path, {"audit": {"enabled": False}, "enable_audit_logging": False})
    assert not settings_of(tmp_path).switches.enable_audit_logging
    write_config(tmp_path, {"audit": {"enabled": False}, "enable_audit_logging": True})
    with pytest.raises(ConfigFileError, match="enable_audit_logging is True"):
        settings_of(tmp_path)


def test_sections_are_typed_and_their_variables_filled(tmp_path: Path) -> None:
    """Every documented key of environment and audit is known."""
    environment = {
        "toolsRoot": "%TOOLS%",
        "pipxApps": ["aider-chat"],
        "npmGlobal": ["@openai/codex"],
        "secretsVault": "v",
        "centralCache": "${TOOLS}/cache",
        "healthChecks": {
            "enabled": False,
            "requiredCommands": ["git"],
            "requiredPaths": ["$TOOLS"],
        },
        "versionPins": {"pipx": {"aider-chat": "0.86.2"}, "npm": {}},
        "scanner": {"roots": ["."], "cachePatterns": ["x"], "minSizeKB": 5},
        "preflight": {"health": False, "versions": False, "scan": True, "auto_sync": True},
    }
    audit = {"enabled": True, "logPath": "$TOOLS/trail", "events": ["tool_invoke"]}
    write_config(tmp_path, {"environment": environment, "audit": audit})
    settings = settings_of(tmp_path, TOOLS="/t")
    assert settings.environment.central_cache == "/t/cache"
    assert settings.environment.health_checks.required_paths == ("/t",)
    assert settings.environment.version_pins.pipx == {"aider-chat": "0.86.2"}
    assert (settings.audit.log_path, settings.audit.events) == ("/t/trail", ("tool_invoke",))


def test_every_error_is_listed_with_its_key(tmp_path: Path) -> None:
    """Unknown keys get the nearest known one, values their limits."""
    wrong: Any = {
        "enable_ami": True,
        "audit_log_retention_days": 0,
        "default_timeout_ms": "x",
        "audit": {"events": ["dance"]},
        "registry": {"tools": {"a": {"nme": "A"}}},
        "environment": {"versionPins": {"gem": {}}},
    }
    write_config(tmp_path, wrong)
    with pytest.raises(ConfigFileError) as caught:
        settings_of(tmp_path)
    assert len(caught.value.problems) == len(wrong)
    text = str(caught.value)
    assert text.startswith(f"{JSON}: 6 errors")
    assert "enable_ami: unknown key; did you mean enable_aim?" in text
    assert "audit_log_retention_days: must be at least 1, not 0" in text
    assert "registry.tools.a.nme: unknown key; did you mean name?" in text


@pytest.mark.parametrize("text", ["[]", "{", "1", "enable_aim: [", "a: b: c", "\0"])
def test_rubbish_is_an_error_of_ours(text: str, tmp_path: Path) -> None:
    """Whatever the file holds, the error names it."""
    path = tmp_path / YAML
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigFileError, match=r"aim_config\.yaml"):
        settings_of(tmp_path)

"""Which registry counts, and where its audit trail lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import AIMRegistryNotFoundError, ConfigError
from penstock.model.capability import AimSwitches
from penstock.registry.api import AimSettings, AuditSection
from penstock.registry.locate import PACKAGED, audit_folder, find_registry
from tests.support.registries import FOLDER, registry_of, write_config, write_registry

AUTO = AimSettings()


def named(path: str) -> AimSettings:
    """Return settings that name a registry."""
    return AimSettings(switches=AimSwitches(registry_path=path), source="config/aim_config.yaml")


def test_the_order_in_which_registries_count(tmp_path: Path) -> None:
    """Environment, registry_path, aim/, the repository's top, the packaged one."""
    for name in ("env", "set", f"aim/{FOLDER}", FOLDER):
        write_registry(tmp_path / name)
    found = find_registry(tmp_path, named("set"), {"AIM_REGISTRY_PATH": "env"})
    assert (found.path, found.origin) == (tmp_path / "env", "environment AIM_REGISTRY_PATH")
    found = find_registry(tmp_path, named("set"), {})
    assert (found.path, found.origin) == (
        tmp_path / "set",
        "registry_path in config/aim_config.yaml",
    )
    assert find_registry(tmp_path, AUTO, {}).path == tmp_path / "aim" / FOLDER
    (tmp_path / "aim" / FOLDER / "AIM_registry.json").unlink()
    assert find_registry(tmp_path, AUTO, {}).path == tmp_path / FOLDER
    (tmp_path / FOLDER / "AIM_registry.json").unlink()
    assert find_registry(tmp_path, AUTO, {}).path == PACKAGED


def test_an_empty_variable_names_nothing(tmp_path: Path) -> None:
    """AIM_REGISTRY_PATH= is as if it were not set."""
    assert find_registry(tmp_path, AUTO, {"AIM_REGISTRY_PATH": ""}).packaged


def test_a_folder_with_only_the_trail_is_no_registry(tmp_path: Path) -> None:
    """The audit trail of the packaged registry lies in the repository's folder."""
    (tmp_path / FOLDER / "AIM_audit").mkdir(parents=True)
    assert find_registry(tmp_path, AUTO, {}).packaged


def test_a_named_registry_must_be_there(tmp_path: Path) -> None:
    """No other one is taken instead, and the message says who named it."""
    write_registry(tmp_path / FOLDER)
    with pytest.raises(AIMRegistryNotFoundError, match="environment AIM_REGISTRY_PATH"):
        find_registry(tmp_path, AUTO, {"AIM_REGISTRY_PATH": str(tmp_path / "gone")})
    with pytest.raises(AIMRegistryNotFoundError, match=r"registry_path in config/aim_config\.yaml"):
        find_registry(tmp_path, named("gone"), {})


def test_registry_path_may_hold_a_variable(tmp_path: Path) -> None:
    """Of what is not set the message shows the name."""
    write_registry(tmp_path / "place" / "reg")
    write_config(tmp_path, {"registry_path": "$BASE/reg"})
    assert registry_of(tmp_path, BASE=str(tmp_path / "place")).path == tmp_path / "place" / "reg"
    with pytest.raises(AIMRegistryNotFoundError, match=r"\$BASE/reg"):
        registry_of(tmp_path)


def test_a_folder_that_cannot_be_looked_into(tmp_path: Path) -> None:
    """A name that is too long for the file system is a registry that is not there."""
    with pytest.raises((AIMRegistryNotFoundError, ConfigError)):
        find_registry(tmp_path, AUTO, {"AIM_REGISTRY_PATH": "x" * 5000})


def test_where_the_trail_lies(tmp_path: Path) -> None:
    """In the registry; in the repository for the packaged one; where logPath says."""
    assert audit_folder(tmp_path, AUTO, PACKAGED) == tmp_path / FOLDER / "AIM_audit"
    assert audit_folder(tmp_path, AUTO) == tmp_path / FOLDER / "AIM_audit"
    assert audit_folder(tmp_path, AUTO, tmp_path / "r") == tmp_path / "r" / "AIM_audit"
    moved = AimSettings(audit=AuditSection(log_path="trail"))
    assert audit_folder(tmp_path, moved, PACKAGED) == tmp_path / "trail"

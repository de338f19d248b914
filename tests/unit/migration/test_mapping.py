"""What of an old configuration goes where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.edit import edit_text
from penstock.migration.api import Action
from penstock.migration.mapping import environment_name, map_settings, secret_keys
from tests.support.migrations import check_text
from tests.support.oldtrees import TOOLSTACK

ON_WINDOWS = {"LOCALAPPDATA": "C:\\Users\\a\\AppData\\Local"}
ENVIRONMENT = "environment"


def mapped(old: Any, existing: Any = None, **environ: str) -> dict[str, Action]:
    """Return what becomes of each old setting."""
    outcome = map_settings(old, existing or {}, environ)
    return {item.old: item.action for item in outcome.mapped}


def changes(old: Any, existing: Any = None, **environ: str) -> dict[str, Any]:
    """Return what goes into aim_config, by the last parts of its path."""
    outcome = map_settings(old, existing or {}, environ)
    return {".".join(map(str, path[1:])): value for path, value in outcome.changes.items()}


def test_the_documented_settings_have_their_places() -> None:
    """Tools, caches, pins and scan are carried over; a single item becomes a list, a number a text."""
    assert changes(TOOLSTACK) == {
        "toolsRoot": "C:\\Tools",
        "pipxApps": ["aider-chat", "ruff"],
        "npmGlobal": ["@openai/codex"],
        "centralCache": "%LOCALAPPDATA%\\AI_Cache",
        "versionPins.pipx.ruff": "0.5.0",
        "versionPins.pipx.black": "24.1",
        "versionPins.npm.@openai/codex": "0.1.0",
        "scanner.roots": ["C:\\Users"],
        "scanner.cachePatterns": ["__pycache__"],
        "scanner.minSizeKB": 64,
    }


def test_names_have_no_case() -> None:
    """As in PowerShell, `toolsroot` is ToolsRoot."""
    assert changes({"toolsroot": "x", "PINS": {"Pipx": {"a": "1"}}}) == {
        "toolsRoot": "x",
        "versionPins.pipx.a": "1",
    }


def test_what_aim_config_has_wins() -> None:
    """An equal value is there already, another one stays, pins are taken one by one."""
    existing = {ENVIRONMENT: {"toolsRoot": "C:\\Tools", "pipxApps": ["mine"],
                              "versionPins": {"pipx": {"ruff": "0.9"}}}}  # fmt: skip
    found = mapped(TOOLSTACK, existing)
    assert found["ToolsRoot"] is Action.SAME
    assert found["PipxApps"] is Action.KEPT
    assert found["Pins.pipx.ruff"] is Action.KEPT
    assert found["Pins.pipx.black"] is Action.SET
    outcome = map_settings(TOOLSTACK, existing, {})
    kept = next(item for item in outcome.mapped if item.old == "Pins.pipx.ruff")
    assert (kept.value, kept.note) == ("0.5.0", 'aim_config has "0.9"')


def test_everything_else_is_listed_with_its_value() -> None:
    """What has no place is told, with what penstock has instead."""
    found = {item.key: item for item in map_settings(TOOLSTACK, {}, {}).unmapped}
    assert sorted(found) == ["Scan.AllowCentral", "WatchRoots", "tasks"]
    assert found["WatchRoots"].value == ["C:\\Work"]
    assert "aim scan" in found["WatchRoots"].note
    unknown = map_settings({"$schema": "x", "Own": 1}, {}, {}).unmapped
    assert [(item.key, item.note) for item in unknown] == [("Own", "has no equal in penstock")]


@pytest.mark.parametrize(
    ("key", "value"),
    [("ToolsRoot", 3), ("PipxApps", [{"name": "x"}]), ("Pins", [1]), ("CentralCache", {"a": "b"})],
)
def test_a_value_of_another_kind_is_not_guessed_at(key: str, value: Any) -> None:
    """It is listed among what could not be carried over."""
    outcome = map_settings({key: value}, {}, {})
    assert outcome.changes == {}
    assert [item.key for item in outcome.unmapped] == [key]


def test_parts_of_another_kind_are_listed_too() -> None:
    """Of a section the parts that fit are taken, the others told."""
    old = {"Pins": {"pipx": {"a": None}, "npm": {"b": "1"}}, "Scan": {"MinSizeKBForHash": -1}}
    outcome = map_settings(old, {}, {})
    assert list(outcome.changes.values()) == ["1"]
    notes = {item.key: item.note for item in outcome.unmapped}
    assert notes == dict.fromkeys(
        ("Pins.pipx", "Scan.MinSizeKBForHash"), "is not of the kind that was expected"
    )


def test_the_vault_is_made_beside_the_old_one() -> None:
    """Where the path is one of this machine; a path that only Windows has is left out."""
    found = changes(TOOLSTACK, LOCALAPPDATA="/home/a/local")
    assert found["secretsVault"] == "/home/a/local/CLI_Vault/vault.age"
    assert mapped(TOOLSTACK)["Secrets.VaultPath"] is Action.LEFT
    assert mapped(TOOLSTACK, **ON_WINDOWS)["Secrets.VaultPath"] is Action.LEFT


SECRETS: dict[str, tuple[Any, tuple[str, ...], dict[str, str]]] = {
    "forward": ({"openai": "OPENAI_API_KEY"}, (), {"OPENAI_API_KEY": "openai"}),
    "turned": ({"OPENAI_API_KEY": "openai"}, (), {"OPENAI_API_KEY": "openai"}),
    "turned by the vault": ({"A_KEY": "B_KEY"}, ("B_KEY",), {"A_KEY": "B_KEY"}),
    "several": ({"gh": ["GH_TOKEN", "GITHUB_TOKEN"]}, ("GH",),
                {"GH_TOKEN": "GH", "GITHUB_TOKEN": "GH"}),
    "in the vault alone": (None, ("MY-key",), {"MY_KEY": "MY-key"}),
    "no names": ({"": "A", "b": 3}, (), {}),
    "no map": ("x", (), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", SECRETS)
def test_secrets_are_named_after_their_variables(case: str) -> None:
    """EnvMap leads from the old name to the variable, whichever side it was written on."""
    env_map, names, expected = SECRETS[case]
    assert secret_keys({"Secrets": {"EnvMap": env_map}}, names)[0] == expected


WORDS = st.sampled_from(["ToolsRoot", "pins", "Scan", "Secrets", "pipx", "npm", "Roots", "EnvMap",
                         "VaultPath", "MinSizeKBForHash", "Own", "a b", "tasks"])  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["C:\\x", "%A%", "^1", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(WORDS, ANYTHING, max_size=6))
def test_nothing_of_an_old_configuration_is_lost(old: dict[str, Any]) -> None:
    """Whatever it holds is carried over or listed, and what is carried over is a valid aim_config."""
    outcome = map_settings(old, {}, {})
    told = [item.old for item in outcome.mapped] + [item.key for item in outcome.unmapped]
    for key, value in old.items():
        empty = value in ({}, None) or (key == "Secrets" and isinstance(value, dict))
        inner = value.values() if isinstance(value, dict) else ()
        said = any(name.lower().split(".")[0] == key.lower() for name in told)
        assert said or empty or not any(inner) or key.lower() == "pins"
    text = edit_text("{}", "aim_config.json", outcome.changes) if outcome.changes else "{}"
    check_text(text, "aim_config.json")
    secret_keys(old, ())


def test_secrets_that_would_be_one_are_told() -> None:
    """Two old names that come to the same variable are a warning, and so is a changed name."""
    keys, warnings = secret_keys({}, ("a-key", "A.KEY"))
    assert keys == {"A_KEY": "a-key"}
    assert "is called A_KEY here" in warnings[0]
    assert "would both be A_KEY" in warnings[1]


@pytest.mark.parametrize(
    ("name", "expected"), [("a b", "A_B"), ("--", "SECRET"), ("1x", "_1X"), ("é", "SECRET")]
)
def test_any_name_becomes_one_of_a_variable(name: str, expected: str) -> None:
    """Letters, digits and underscores are what is left."""
    assert environment_name(name) == expected

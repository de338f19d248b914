"""The effective registry: packaged defaults, a registry of the repository, the overlay on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import (
    AIMCapabilityNotFoundError,
    AIMRegistryLoadError,
    AIMRegistryNotFoundError,
    AIMToolNotFoundError,
)
from penstock.model.capability import PACKAGED_CAPABILITIES, SecurityLimits, Strategy
from penstock.registry.load import load_registry, usual_program
from penstock.tools.contracts import CONTRACTS
from tests.support.registries import (
    AIDER,
    FOLDER,
    RULES,
    registry_of,
    write_config,
    write_json,
    write_registry,
)

TOOLS = (
    "aider", "amp", "claude-cli", "codex", "copilot", "cursor-agent", "gemini", "goose", "jules",
    "mini-swe-agent", "mypy", "opencode", "pylint", "pytest", "qwen", "ruff",
)  # fmt: skip
DOCUMENTED = {
    "code_generation": ("jules", ("aider", "claude-cli", "codex"), 1_800_000, 1),
    "linting": ("ruff", ("pylint",), 10_000, 0),
    "refactoring": ("aider", ("claude-cli", "codex"), 1_800_000, 1),
    "testing": ("pytest", (), 300_000, 0),
    "version_checking": ("aider", ("jules", "claude-cli"), 5_000, 0),
}
NEEDS = {
    "code_generation": {"prompt": True},
    "linting": {"files": True},
    "refactoring": {"files": True, "prompt": True},
    "testing": {"test_path": False},
    "version_checking": {},
}


# -- packaged --------------------------------------------------------------------------------------
def test_the_packaged_registry_has_the_documented_tools(tmp_path: Path) -> None:
    """Without any file all sixteen tools are there, each with a way to be found and to be asked."""
    registry = registry_of(tmp_path)
    assert registry.packaged
    assert tuple(sorted(registry.tools)) == TOOLS
    for tool in registry.tools.values():
        assert tool.version_command[0] == tool.executable
        assert tool.capabilities


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_the_packaged_rules_are_the_documented_ones(name: str, tmp_path: Path) -> None:
    """Tools, time, retries and requirements of each capability are those of the documents."""
    rule = registry_of(tmp_path).rule(name)
    found = (rule.primary, rule.fallback, rule.timeout_ms, rule.max_retries)
    assert found == DOCUMENTED[name]
    assert rule.context_requirements == NEEDS[name]
    assert rule.load_balance is (name == "version_checking")


def test_every_packaged_capability_has_a_rule_and_every_tool_of_it_is_known(tmp_path: Path) -> None:
    """No rule names a tool that does not offer its capability."""
    registry = registry_of(tmp_path)
    assert tuple(sorted(registry.rules.capabilities)) == PACKAGED_CAPABILITIES
    for name, rule in registry.rules.capabilities.items():
        assert all(name in registry.tool(tool).capabilities for tool in rule.tools)


def test_the_packaged_limits_are_the_documented_ones(tmp_path: Path) -> None:
    """Payload size, file count, patterns and forbidden paths, one turn of a tool at a time."""
    rules = registry_of(tmp_path).rules
    assert (rules.security.max_payload_size_bytes, rules.security.max_file_count) == (1 << 20, 50)
    assert {"*.py", "*.ps1", "*.kt"} <= set(rules.security.allowed_file_patterns)
    assert {"/.git/", "/.env", "/dist/"} <= set(rules.security.forbidden_paths)
    assert rules.max_concurrent == 1


def test_unproven_adapters_say_so(tmp_path: Path) -> None:
    """The four tools that were never run are marked, and no other."""
    tools = registry_of(tmp_path).tools
    marked = sorted(tool_id for tool_id, tool in tools.items() if tool.unproven)
    assert marked == ["amp", "cursor-agent", "goose", "jules"]


# -- a registry of the repository ------------------------------------------------------------------
def test_a_registry_of_the_repository_replaces_the_packaged_one(tmp_path: Path) -> None:
    """Its tools are all there are, and the packaged rules are narrowed to them."""
    write_registry(tmp_path / FOLDER)
    registry = registry_of(tmp_path)
    assert list(registry.tools) == ["aider"]
    assert set(registry.rules.capabilities) == {
        "code_generation",
        "refactoring",
        "version_checking",
    }
    assert registry.rule("code_generation").tools == ("aider",)
    assert registry.origin == f"{FOLDER}/ of the repository"


def test_rules_alone_use_the_packaged_tools(tmp_path: Path) -> None:
    """A folder with rules only keeps the packaged tools and limits, and only its capabilities."""
    write_json(tmp_path / FOLDER / RULES, {"capabilities": {"docs": {"primary": "codex"}}})
    registry = registry_of(tmp_path)
    assert len(registry.tools) == len(TOOLS)
    assert list(registry.rules.capabilities) == ["docs"]
    assert registry.rules.security.max_file_count == 50


def test_limits_of_a_rules_file_lie_over_the_packaged_ones(tmp_path: Path) -> None:
    """A limit that is given counts, the others stay."""
    rules = {"capabilities": {}, "security": {"max_file_count": 3}}
    write_registry(tmp_path / FOLDER, rules=rules)
    security = registry_of(tmp_path).rules.security
    assert security.max_file_count == 3
    assert security.forbidden_paths
    assert security != SecurityLimits(max_file_count=3)


def test_capabilities_of_a_registry_count_where_the_rules_have_none(tmp_path: Path) -> None:
    """The rules decide; what only the registry names is there too."""
    both = {"docs": {"primaryTool": "aider"}, "linting": {"primaryTool": "aider"}}
    tools = {"aider": AIDER, "ruff": {"name": "ruff", "detectCommands": ["ruff"]}}
    rules = {"capabilities": {"linting": {"primary": "ruff"}}}
    write_registry(tmp_path / FOLDER, tools, capabilities=both, rules=rules)
    registry = registry_of(tmp_path)
    assert registry.rule("docs").primary == "aider"
    assert registry.rule("linting").tools == ("ruff",)


def test_keys_that_are_comments_are_left_out(tmp_path: Path) -> None:
    """`$schema` and `_comment` may stand anywhere."""
    tools = {"aider": {**AIDER, "_comment": "ours"}, "_note": "tools of the team"}
    write_registry(tmp_path / FOLDER, tools, **{"$schema": "x.json"})
    assert list(registry_of(tmp_path).tools) == ["aider"]


def test_commands_may_be_text_and_hold_placeholders(tmp_path: Path) -> None:
    """Text is split as a shell would; variables and the registry's own folder are filled in."""
    tool = {
        "name": "mine",
        "detectCommands": ["'%AIM_REGISTRY_PATH%/bin/my tool' --version"],
        "configPaths": ["$PLACE/a", "${PLACE}/b", "%PLACE%/c", "%UNSET%/d"],
    }
    folder = write_registry(tmp_path / FOLDER, {"mine": tool})
    mine = registry_of(tmp_path, PLACE="/place").tool("mine")
    assert mine.detect_commands == ((f"{folder}/bin/my tool", "--version"),)
    assert mine.config_paths == ("/place/a", "/place/b", "/place/c", "%UNSET%/d")


def test_a_variable_that_holds_a_secret_is_not_filled_in(tmp_path: Path) -> None:
    """A registry cannot put a key into an argument list."""
    tool = {**AIDER, "versionCommand": ["curl", "http://example.invalid/$OPENAI_API_KEY"]}
    write_registry(tmp_path / FOLDER, {"aider": tool})
    found = registry_of(tmp_path, OPENAI_API_KEY="sk-1").tool("aider")
    assert found.version_command[1].endswith("$OPENAI_API_KEY")


def test_adapter_scripts_are_found_in_their_folder_or_named(tmp_path: Path) -> None:
    """`AIM_<tool>.*` counts without being named; a named one is taken from the registry."""
    folder = tmp_path / FOLDER
    (folder / "AIM_adapters").mkdir(parents=True)
    for name in ("AIM_aider.ps1", "other.py"):
        (folder / "AIM_adapters" / name).write_text("", encoding="utf-8")
    other = {**AIDER, "adapterScript": "AIM_adapters\\other.py"}
    write_registry(folder, {"aider": AIDER, "other": other})
    registry = registry_of(tmp_path)
    assert registry.tool("aider").adapter_script == folder / "AIM_adapters" / "AIM_aider.ps1"
    assert registry.tool("other").adapter_script == folder / "AIM_adapters" / "other.py"


def test_packaged_scripts_are_examples(tmp_path: Path) -> None:
    """No tool of the packaged registry is driven by a script of its folder."""
    assert all(tool.adapter_script is None for tool in registry_of(tmp_path).tools.values())


# -- the overlay -----------------------------------------------------------------------------------
def overlay(root: Path, **section: Any) -> None:
    """Write an aim_config with a registry section."""
    write_config(root, {"registry": section})


def test_the_overlay_changes_a_capability_key_by_key(tmp_path: Path) -> None:
    """Only what it names changes."""
    overlay(tmp_path, capabilities={"code_generation": {"primaryTool": "codex"}})
    rule = registry_of(tmp_path).rule("code_generation")
    assert (rule.primary, rule.fallback) == ("codex", ("aider", "claude-cli", "codex"))
    assert rule.timeout_ms == 1_800_000


def test_the_overlay_adds_a_capability_and_a_tool(tmp_path: Path) -> None:
    """Names of one's own are as good as the packaged ones."""
    tool = {"name": "Mine", "detectCommands": ["mine"], "pinnedVersion": "1.2", "autoUpdate": True}
    rule = {"primaryTool": "mine", "fallbacks": ["aider"], "strategy": "auto"}
    overlay(tmp_path, tools={"mine": tool}, capabilities={"translate": rule})
    registry = registry_of(tmp_path)
    assert registry.rule("translate").tools == ("mine", "aider")
    assert registry.rule("translate").strategy is Strategy.AUTO
    assert registry.tool("mine").pinned_version == "1.2"


def test_the_overlay_changes_a_tool_key_by_key(tmp_path: Path) -> None:
    """The keys that it does not name stay those of the registry."""
    overlay(tmp_path, tools={"codex": {"detectCommands": ["codex-next"]}})
    codex = registry_of(tmp_path).tool("codex")
    assert codex.executable == "codex-next"
    assert codex.name == "Codex"


def test_rules_may_name_tools_known_elsewhere(tmp_path: Path) -> None:
    """A tool of a tool profile needs no entry in the registry."""
    overlay(tmp_path, capabilities={"linting": {"primaryTool": "my-linter"}})
    found = load_registry(tmp_path, environ={}, others=lambda: {"my-linter"})
    assert found.rule("linting").primary == "my-linter"


# -- what is wrong ---------------------------------------------------------------------------------
def test_every_error_of_a_registry_is_listed(tmp_path: Path) -> None:
    """File, key and the nearest known key of each."""
    tools = {
        "aider": {"name": "", "detectComands": []},
        "ruff": {"name": "r", "detectCommands": []},
    }
    write_registry(tmp_path / FOLDER, tools, crossToolRulePath="x")
    with pytest.raises(AIMRegistryLoadError) as caught:
        registry_of(tmp_path)
    text = str(caught.value)
    assert f"{FOLDER}/AIM_registry.json: " in text
    assert "tools.aider.detectComands: unknown key; did you mean detectCommands?" in text
    assert "tools.aider: detectCommands is missing" in text
    assert "crossToolRulePath: unknown key; did you mean crossToolRulesPath?" in text
    assert "tools.ruff.detectCommands" in text


def test_unknown_tools_in_rules_are_listed_with_the_nearest(tmp_path: Path) -> None:
    """Each rule that names one is named."""
    rules = {"docs": {"primary": "aidr"}, "more": {"primary": "aider", "fallback": ["zzz"]}}
    write_registry(tmp_path / FOLDER, rules={"capabilities": rules})
    with pytest.raises(AIMRegistryLoadError) as caught:
        registry_of(tmp_path)
    assert "capabilities.docs: no tool 'aidr'; did you mean aider?" in str(caught.value)
    assert "capabilities.more: no tool 'zzz'; known: aider" in str(caught.value)


def test_a_new_tool_of_the_overlay_needs_its_starred_keys(tmp_path: Path) -> None:
    """What the registry does not have cannot be left out."""
    overlay(tmp_path, tools={"mine": {"name": "Mine"}}, capabilities={"x": {"fallbacks": []}})
    with pytest.raises(AIMRegistryLoadError, match=r"tools\.mine: detectCommands is missing"):
        registry_of(tmp_path)
    overlay(tmp_path, capabilities={"x": {"fallbacks": []}})
    with pytest.raises(AIMRegistryLoadError, match=r"capabilities\.x: primary is missing"):
        registry_of(tmp_path)


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ({**AIDER, "adapterScript": "gone.py"}, "adapterScript: there is no file"),
        ({**AIDER, "versionCommand": "aider 'open"}, "No closing quotation"),
        ({**AIDER, "detectCommands": [" "]}, "a command without a word"),
    ],
)
def test_entries_that_make_no_sense(tool: Any, text: str, tmp_path: Path) -> None:
    """What a schema cannot say is said with the entry's place."""
    write_registry(tmp_path / FOLDER, {"aider": tool})
    with pytest.raises(AIMRegistryLoadError, match=text) as caught:
        registry_of(tmp_path)
    assert "tools.aider" in str(caught.value)


def test_rules_that_are_named_must_be_there(tmp_path: Path) -> None:
    """The usual rules may be missing, even when they are named; others may not."""
    write_registry(tmp_path / FOLDER, crossToolRulesPath=RULES)
    assert registry_of(tmp_path).rule("refactoring").primary == "aider"
    write_registry(tmp_path / FOLDER, crossToolRulesPath="rules/gone.json")
    with pytest.raises(AIMRegistryLoadError, match=r"there is no file rules/gone\.json"):
        registry_of(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"tools": []}', "\0", '{"tools": 1e999}'])
def test_rubbish_is_an_error_of_ours(text: str, tmp_path: Path) -> None:
    """Whatever the file holds, the error names it."""
    folder = write_registry(tmp_path / FOLDER)
    (folder / "AIM_registry.json").write_text(text, encoding="utf-8")
    with pytest.raises(AIMRegistryLoadError, match=r"AIM_registry\.json"):
        registry_of(tmp_path)
    write_registry(folder)
    write_json(folder / RULES, {})
    (folder / RULES).write_text(text, encoding="utf-8")
    with pytest.raises(AIMRegistryLoadError, match=r"AIM_coordination-rules\.json"):
        registry_of(tmp_path)


def test_a_registry_that_cannot_be_read_is_missing_not_wrong(tmp_path: Path) -> None:
    """A loop of links in the file's place is no registry, so that the direct tool can be used."""
    folder = write_registry(tmp_path / FOLDER)
    (folder / RULES).parent.mkdir()
    (folder / RULES).symlink_to(folder / RULES)
    with pytest.raises(AIMRegistryNotFoundError, match="cannot be read"):
        registry_of(tmp_path)


def test_unknown_names_are_asked_for(tmp_path: Path) -> None:
    """A capability or tool that there is not is an error that lists the known ones."""
    registry = registry_of(tmp_path)
    with pytest.raises(AIMCapabilityNotFoundError) as caught:
        registry.rule("dancing")
    assert "code_generation" in caught.value.available_capabilities
    with pytest.raises(AIMToolNotFoundError, match="'hammer' is not in the AIM registry"):
        registry.tool("hammer")


@pytest.mark.parametrize("tool_id", sorted(CONTRACTS))
def test_the_packaged_programs_are_those_of_the_adapters(tool_id: str) -> None:
    """What the registry finds is what the adapter starts, so that finding it is enough."""
    executable = CONTRACTS[tool_id].executable
    assert executable in (None, usual_program(tool_id))
    assert usual_program("hammer") is None

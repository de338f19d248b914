"""From the entries of the files to tools and rules: commands split, paths made whole."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from penstock.model.capability import CapabilityRule
from penstock.registry.api import ADAPTERS_FOLDER, Argv, RegistryTool
from penstock.registry.locate import PACKAGED
from penstock.registry.wire import Requirement, RuleEntry, ToolEntry

SCRIPT_ENDINGS = (".py", ".ps1", ".sh", "")
"""The endings of adapters in `AIM_adapters/`, the first one that is there counts."""


def make_tool(tool_id: str, entry: ToolEntry, folder: Path) -> RegistryTool:
    """Return a tool of the registry in `folder`. Raises ValueError that says what is wrong."""
    detect = tuple(_at_home(argv_of(command)) for command in entry.detect_commands)
    if not all(detect):
        raise ValueError("detectCommands holds a command without a word")
    return RegistryTool(
        tool_id=tool_id,
        name=entry.name,
        detect_commands=detect,
        version_command=argv_of(entry.version_command),
        install_command=argv_of(entry.install_command),
        update_command=argv_of(entry.update_command),
        config_paths=tuple(map(os.path.expanduser, entry.config_paths)),
        log_paths=tuple(map(os.path.expanduser, entry.log_paths)),
        capabilities=entry.capabilities,
        adapter_script=adapter_script(tool_id, entry.adapter_script, folder),
        pinned_version=entry.pinned_version,
        auto_update=entry.auto_update,
        unproven=entry.unproven,
        secrets=entry.secrets,
    )


def argv_of(command: str | Argv) -> Argv:
    """Return a command as an argument list; one written as text is split as a shell would.

    Raises ValueError for a quote without its end.
    """
    return tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)


def _at_home(command: Argv) -> Argv:
    """Return a command whose program may be given as `~/...`."""
    return (str(Path(command[0]).expanduser()), *command[1:]) if command[:1] else command


def adapter_script(tool_id: str, given: str | None, folder: Path) -> Path | None:
    """Return the script of the open adapter protocol: the named one, else `AIM_<tool>` of the
    registry's own folder; None without one. Raises ValueError when the named one is not there.

    The scripts that are packaged with penstock are examples: they stand in nobody's way.
    """
    if given is None and folder == PACKAGED:
        return None
    if given is None:
        stem = folder / ADAPTERS_FOLDER / f"AIM_{tool_id}"
        found = (stem.with_name(stem.name + ending) for ending in SCRIPT_ENDINGS)
        return next((path for path in found if path.is_file()), None)
    path = folder / Path(given.replace("\\", "/")).expanduser()
    if not path.is_file():
        raise ValueError(f"adapterScript: there is no file {path}")
    return path


def make_rule(entry: RuleEntry) -> CapabilityRule:
    """Return a rule; requirements become true (required) and false (optional)."""
    return CapabilityRule(
        primary=entry.primary,
        fallback=entry.fallback,
        timeout_ms=entry.timeout_ms,
        max_retries=entry.max_retries,
        context_requirements={k: required(v) for k, v in entry.context_requirements.items()},
        load_balance=entry.load_balance,
        strategy=entry.strategy,
    )


def required(value: Requirement) -> bool:
    """Tell whether a requirement is one."""
    return value is True or value == "required"

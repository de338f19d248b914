"""What of the old configuration goes where in aim_config. Pure: values in, values out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

import msgspec

from penstock.config.problems import Key, key_name
from penstock.migration.api import Action, Mapped, Unmapped
from penstock.migration.legacy import expanded, member

NOTHING = object()
MANAGERS = ("pip", "pipx", "uv", "npm", "winget")
ENVIRONMENT_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
ADVICE: Mapping[str, str] = {
    "copilotpkgs": "list npm packages in environment.npmGlobal, then `aim tools install-all`",
    "watchroots": "penstock watches no folders; environment.scanner.roots are for `aim scan`",
    "masterbin": "penstock makes no folder of links; put tools on PATH, see `aim health check`",
    "audit": "penstock has a trail of its own, see `aim audit`",
    "observability": "see `aim audit stats` and `penstock report`",
    "buildwrappers": "tools are described in config/tool_profiles.json",
    "reportsdir": "`aim health report -o FILE` writes where you say",
    "reports": "`aim health report` and `aim version report` make them on demand",
    "logging": "logs are in logs/ of the repository",
    "tasks": "commands of your own belong into config/tool_profiles.json",
    "scan.allowcentral": "environment.centralCache is never offered for cleaning",
}
NO_EQUAL = "has no equal in penstock"


class Rule(NamedTuple):
    """Where a setting was, where it goes, and how its value is read."""

    old: tuple[str, ...]
    new: Key
    read: Callable[[Any], Any]


class Outcome(NamedTuple):
    """What the old configuration comes to: settings to be made, and what was said of each."""

    changes: dict[Key, Any]
    mapped: tuple[Mapped, ...]
    unmapped: tuple[Unmapped, ...]


# -- values --------------------------------------------------------------------------------------
def _text(value: Any) -> Any:
    return value if isinstance(value, str) and value else NOTHING


def _texts(value: Any) -> Any:
    """Return a list of texts; PowerShell writes a list of one item as the item."""
    items = [value] if isinstance(value, str) else value
    fits = isinstance(items, list) and all(isinstance(item, str) for item in items)
    return items if fits else NOTHING


def _number(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if whole else NOTHING


def _pins(value: Any) -> Any:
    """Return versions by package; one that was written as a number becomes text."""
    if not isinstance(value, dict):
        return NOTHING
    plain = {name: _version(version) for name, version in value.items()}
    return NOTHING if NOTHING in plain.values() else plain


def _version(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return _text(value)


RULES: tuple[Rule, ...] = (
    Rule(("ToolsRoot",), ("environment", "toolsRoot"), _text),
    Rule(("PipxApps",), ("environment", "pipxApps"), _texts),
    Rule(("NpmGlobal",), ("environment", "npmGlobal"), _texts),
    Rule(("CentralCache",), ("environment", "centralCache"), _text),
    *(Rule(("Pins", name), ("environment", "versionPins", name), _pins) for name in MANAGERS),
    Rule(("Scan", "Roots"), ("environment", "scanner", "roots"), _texts),
    Rule(("Scan", "Patterns"), ("environment", "scanner", "cachePatterns"), _texts),
    Rule(("Scan", "MinSizeKBForHash"), ("environment", "scanner", "minSizeKB"), _number),
    Rule(("Secrets", "VaultPath"), ("environment", "secretsVault"), _text),
)
SECTIONS = frozenset(rule.old[0].lower() for rule in RULES if len(rule.old) == 2)
VAULT: Key = ("environment", "secretsVault")
ENV_MAP = ("secrets", "envmap")


# -- settings ------------------------------------------------------------------------------------
def map_settings(old: Any, existing: Any, environ: Mapping[str, str]) -> Outcome:
    """Return what the old configuration comes to beside the `existing` aim_config, whose values win."""
    changes: dict[Key, Any] = {}
    mapped: list[Mapped] = []
    taken: set[tuple[str, ...]] = {ENV_MAP}
    for rule in RULES:
        value = _old_value(old, rule.old)
        read = NOTHING if value is None else rule.read(value)
        if read is NOTHING:
            continue
        taken.add(tuple(part.lower() for part in rule.old))
        for item in _items(rule, read, environ):
            found = _settled(item, existing)
            mapped.append(found)
            if found.action is Action.SET:
                changes[item.new] = item.value
    return Outcome(changes, tuple(mapped), tuple(_unmapped(old, taken)))


class _Item(NamedTuple):
    """One value on its way; `told` is the old one."""

    old: str
    new: Key
    value: Any
    told: Any
    note: str | None = None


def _items(rule: Rule, read: Any, environ: Mapping[str, str]) -> Iterator[_Item]:
    """Yield what a rule gives: pins one by one, so that each may be kept or set."""
    name = ".".join(rule.old)
    if rule.read is _pins:
        for package, version in read.items():
            yield _Item(f"{name}.{package}", (*rule.new, package), version, version)
    elif rule.new == VAULT:
        value, note = _vault_value(read, environ)
        yield _Item(name, rule.new, value, read, note)
    else:
        yield _Item(name, rule.new, read, read, _foreign(read))


def _vault_value(path: str, environ: Mapping[str, str]) -> tuple[Any, str]:
    """Return the file of a vault of ours beside the old one, which only Windows can open."""
    filled = expanded(path, environ)
    if filled is None or not PurePosixPath(filled).is_absolute():
        return NOTHING, "is no path of this machine: `aim secrets doctor` shows what is used"
    ours = PurePosixPath(filled).with_suffix(".age")
    return str(ours), f"{ours.name} is made beside it: only Windows can open the old file"


def _foreign(value: Any) -> str | None:
    """Return a remark on paths that only Windows has."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and (PureWindowsPath(text).drive or "\\" in text):
            return "is a path of Windows"
    return None


def _settled(item: _Item, existing: Any) -> Mapped:
    """Return what becomes of a value beside what aim_config has."""
    there = _at(existing, item.new)
    action, note = Action.SET, item.note
    if item.value is NOTHING:
        action = Action.LEFT
    elif there is not NOTHING:
        action = Action.SAME if there == item.value else Action.KEPT
        note = item.note if action is Action.SAME else f"aim_config has {_brief(there)}"
    return Mapped(old=item.old, new=key_name(item.new), value=item.told, action=action, note=note)


def _brief(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."


def _at(value: Any, path: Key) -> Any:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return NOTHING
        value = value[part]
    return value


def _old_value(old: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        old = member(old, part)
    return old


# -- what is left --------------------------------------------------------------------------------
def _unmapped(old: Any, taken: set[tuple[str, ...]]) -> Iterator[Unmapped]:
    for key, value in old.items():
        if key.startswith(("$", "_")) or (key.lower(),) in taken:
            continue
        if key.lower() in SECTIONS and isinstance(value, dict):
            inner = ((name, v) for name, v in value.items())
            yield from (
                _left(f"{key}.{name}", v)
                for name, v in inner
                if (key.lower(), name.lower()) not in taken
            )
        else:
            yield _left(key, value)


def _left(key: str, value: Any) -> Unmapped:
    known = {".".join(rule.old).lower() for rule in RULES}
    if key.lower() in known:
        return Unmapped(key=key, value=value, note="is not of the kind that was expected")
    return Unmapped(key=key, value=value, note=ADVICE.get(key.lower(), NO_EQUAL))


# -- secrets -------------------------------------------------------------------------------------
def secret_keys(old: Any, vault_names: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Return the environment name of each secret with its name in the old vault, and warnings.

    Secrets.EnvMap leads from one to the other, in either direction; a secret that it does not have
    is named after itself.
    """
    keys: dict[str, str] = {}
    warnings: list[str] = []
    in_vault = {name.lower(): name for name in vault_names}
    left = dict(in_vault)
    env_map = member(member(old, "Secrets"), "EnvMap")
    for one, other in _pairs(env_map):
        name, key = (other, one) if _is_turned(one, other, in_vault) else (one, other)
        keys[environment_name(key)] = in_vault.get(name.lower(), name)
        left.pop(name.lower(), None)
    for name in left.values():
        key = environment_name(name)
        if key in keys:
            warnings.append(f"the secrets {name} and {keys[key]} would both be {key}; one is kept")
        elif name != key:
            warnings.append(f"the secret {name} is called {key} here")
        keys.setdefault(key, name)
    return keys, warnings


def _pairs(env_map: Any) -> Iterator[tuple[str, str]]:
    for one, others in env_map.items() if isinstance(env_map, dict) else ():
        for other in others if isinstance(others, list) else [others]:
            if isinstance(other, str) and one and other:
                yield one, other


def _is_turned(one: str, other: str, in_vault: Mapping[str, str]) -> bool:
    """Tell whether the first of a pair is the environment name and the second the secret's."""
    if (one.lower() in in_vault) != (other.lower() in in_vault):
        return other.lower() in in_vault
    fits = [bool(ENVIRONMENT_NAME.fullmatch(name)) for name in (one, other)]
    return fits == [True, False]


def environment_name(name: str) -> str:
    """Return a name that a variable of the environment can have."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper() or "SECRET"
    return plain[:128] if plain[0].isalpha() else f"_{plain}"[:128]

"""The effective registry: its files, the packaged defaults beneath, the overlay of aim_config on top."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from penstock.config.decode import decode, nearest, problems_of
from penstock.config.documents import ConfigFileError, Document
from penstock.config.problems import Problem
from penstock.errors import AIMRegistryLoadError, AIMRegistryNotFoundError
from penstock.model.capability import CapabilityRule, CoordinationRules, SecurityLimits
from penstock.registry.api import REGISTRY_FILE, RULES_FILE, Registry, RegistryTool
from penstock.registry.entries import make_rule, make_tool
from penstock.registry.expand import expand_all
from penstock.registry.files import read_document
from penstock.registry.locate import PACKAGED, VARIABLE, RegistryPlace, find_registry
from penstock.registry.settings import AimConfig, load_config
from penstock.registry.wire import RegistryFile, RuleEntry, RulesFile, ToolEntry, rule_keys
from penstock.typed import typed

T = TypeVar("T")
Entries = dict[str, Any]
HINT = "docs/reference/aim-registry.md lists every key"


class RegistryProblemsError(AIMRegistryLoadError):
    """A registry, its rules or its overlay is wrong; `found` has each error with its file."""

    def __init__(self, found: Iterable[tuple[str, Problem]]) -> None:
        self.found = tuple(found)
        lines = "\n".join(f"{shown}: {problem}" for shown, problem in self.found)
        super().__init__(lines, hint=HINT)


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Capabilities as one file has them; `at` is the key path to them in that file.

    `by_key` lays an entry over the one below key by key instead of replacing it.
    """

    document: Document
    at: tuple[str, ...]
    entries: Entries
    by_key: bool = False


def load_registry(
    root: Path,
    *,
    environ: Mapping[str, str] | None = None,
    others: Callable[[], Collection[str]] = frozenset,
) -> Registry:
    """Return the effective registry of the repository at `root`.

    `environ` None is the process's own; `others` gives ids of further tools that rules may name,
    such as those of tool profiles, and is asked only when a rule names an unknown one. Files are
    read again when they change. Raises AIMRegistryNotFoundError when a named registry is not there
    or cannot be read, AIMRegistryLoadError and ConfigError with every error of a wrong one.
    """
    env = os.environ if environ is None else environ
    config = load_config(root, env)
    place = find_registry(root, config.settings, env)
    return _Loader(root, place, config, env).load(others)


def usual_program(tool_id: str) -> str | None:
    """Return the program that the packaged registry looks for; None for a tool that it has not."""
    entry = _packaged(REGISTRY_FILE).value["tools"].get(tool_id)
    return None if entry is None else str(entry["detectCommands"][0][0])


class _Loader:
    """Reads one registry and gathers what is wrong with it."""

    def __init__(
        self, root: Path, place: RegistryPlace, config: AimConfig, environ: Mapping[str, str]
    ) -> None:
        self._root = root
        self._place = place
        self._variables = {**environ, VARIABLE: str(place.path)}
        self._config = config.overlay
        section = (config.overlay.value.get("registry") if config.overlay else None) or {}
        self._overlay: Entries = expand_all(section, self._variables)
        self._problems: list[tuple[str, Problem]] = []

    def load(self, others: Callable[[], Collection[str]]) -> Registry:
        document = self._read(REGISTRY_FILE) or _packaged(REGISTRY_FILE)
        decoded = _decode(document, RegistryFile)
        tools = self._tools(document)
        self._raise()
        rules = self._rules(document, decoded.rules_path, tools, others)
        self._raise()
        place = self._place
        return Registry(
            path=place.path, origin=place.origin, packaged=place.packaged, tools=tools, rules=rules
        )

    def _raise(self) -> None:
        if self._problems:
            raise RegistryProblemsError(self._problems)

    def _read(self, name: str) -> Document | None:
        """Return a file of the registry with its variables filled, None when there is none."""
        try:
            document = read_document(self._place.path / name, self._root)
        except ConfigFileError as error:
            if isinstance(error.__cause__, OSError):
                raise AIMRegistryNotFoundError(str(error), hint="Mend its permissions.") from error
            raise AIMRegistryLoadError(str(error), hint=HINT) from error
        if document is None:
            return None
        value = expand_all(document.value, self._variables)
        return Document(document.shown, value, document.marks)

    # -- tools -----------------------------------------------------------------------------
    def _tools(self, document: Document) -> dict[str, RegistryTool]:
        """Return the tools of the file, those of the overlay laid over them key by key."""
        theirs: Entries = document.value["tools"]
        found = dict(self._made(document, ("tools",), theirs))
        if self._config is not None:
            ours = self._overlay.get("tools", {})
            merged = {key: {**theirs.get(key, {}), **entry} for key, entry in ours.items()}
            found |= self._made(self._config, ("registry", "tools"), merged)
        return found

    def _made(
        self, document: Document, at: tuple[str, ...], entries: Entries
    ) -> Iterator[tuple[str, RegistryTool]]:
        for tool_id, raw in entries.items():
            entry = self._entry(document, (*at, tool_id), raw, ToolEntry)
            if entry is None:
                continue
            try:
                yield tool_id, make_tool(tool_id, entry, self._place.path)
            except ValueError as error:
                self._problem(document, (*at, tool_id), str(error))

    # -- rules -----------------------------------------------------------------------------
    def _rules(
        self,
        document: Document,
        given: str | None,
        tools: Mapping[str, RegistryTool],
        others: Callable[[], Collection[str]],
    ) -> CoordinationRules:
        rules = self._rules_document(document, given, tools)
        decoded = _decode(rules, RulesFile)
        layers = self._layers(document, rules)
        for layer in layers:
            self._check_names(layer, tools, others)
        return CoordinationRules(
            capabilities=self._capabilities(layers),
            security=typed(msgspec.to_builtins(decoded.security), SecurityLimits),
            max_concurrent=decoded.conflict_resolution.max_concurrent,
        )

    def _rules_document(
        self, document: Document, given: str | None, tools: Mapping[str, RegistryTool]
    ) -> Document:
        """Return the rules that count: the named file, the usual one, else the packaged ones as
        far as this registry has their tools.
        """
        given = self._overlay.get("crossToolRulesPath", given)
        own = self._read(given or RULES_FILE)
        packaged = _packaged(RULES_FILE)
        if own is not None:
            return _with_packaged_security(own, packaged)
        if given not in (None, RULES_FILE):
            self._problem(document, ("crossToolRulesPath",), f"there is no file {given}")
        entries = packaged.value["capabilities"].items()
        kept = {name: _narrowed(entry, tools) for name, entry in entries}
        value = {**packaged.value, "capabilities": {k: v for k, v in kept.items() if v}}
        return Document(packaged.shown, value)

    def _layers(self, document: Document, rules: Document) -> list[Layer]:
        """Return where capabilities are written, the later over the earlier."""
        registry = document.value.get("capabilities", {})
        layers = [
            Layer(document=document, at=("capabilities",), entries=registry),
            Layer(document=rules, at=("capabilities",), entries=rules.value["capabilities"]),
        ]
        if self._config is not None:
            ours = self._overlay.get("capabilities", {})
            at = ("registry", "capabilities")
            layers.append(Layer(document=self._config, at=at, entries=ours, by_key=True))
        return layers

    def _capabilities(self, layers: list[Layer]) -> dict[str, CapabilityRule]:
        raw: Entries = {}
        rules: dict[str, CapabilityRule] = {}
        for layer in layers:
            for name, entry in layer.entries.items():
                below = raw.get(name, {}) if layer.by_key else {}
                raw[name] = {**below, **rule_keys(entry)}
                made = self._entry(layer.document, (*layer.at, name), raw[name], RuleEntry)
                if made is not None:
                    rules[name] = make_rule(made)
        return rules

    def _check_names(
        self,
        layer: Layer,
        tools: Mapping[str, RegistryTool],
        others: Callable[[], Collection[str]],
    ) -> None:
        """Note every tool that a rule names and nobody knows."""
        for name, entry in layer.entries.items():
            keys = rule_keys(entry)
            named = [keys.get("primary"), *keys.get("fallback", ())]
            for tool in named:
                if tool is None or tool in tools or tool in others():
                    continue
                advice = nearest(tool, {*tools, *others()})
                self._problem(layer.document, (*layer.at, name), f"no tool {tool!r}; {advice}")

    # -- errors ----------------------------------------------------------------------------
    def _entry(
        self, document: Document, at: tuple[str, ...], raw: Entries, kind: type[T]
    ) -> T | None:
        """Return one entry as a value; None, with its errors noted, when it is wrong."""
        try:
            return typed(raw, kind)
        except msgspec.ValidationError as error:
            nested: Any = raw
            for key in reversed(at):
                nested = {key: nested}
            shown = Document(document.shown, nested, document.marks)
            problems = problems_of(shown, kind, at) or [shown.problem(at, str(error))]
            self._problems += [(document.shown, problem) for problem in problems]
            return None

    def _problem(self, document: Document, at: tuple[str, ...], text: str) -> None:
        self._problems.append((document.shown, document.problem(at, text)))


def _decode(document: Document, kind: type[T]) -> T:
    """Decode a file of the registry. Raises AIMRegistryLoadError with every error in it."""
    try:
        return decode(document, kind)
    except ConfigFileError as error:
        raise RegistryProblemsError((error.file, problem) for problem in error.found) from error


def _packaged(name: str) -> Document:
    """Return a file of penstock's own registry."""
    document = read_document(PACKAGED / name, PACKAGED.parent)
    if document is None:
        raise AIMRegistryLoadError(
            f"penstock's own {name} is missing", hint="Install penstock again."
        )
    return document


def _with_packaged_security(own: Document, packaged: Document) -> Document:
    """Return rules whose security section has the packaged value of every limit not given."""
    if not isinstance(own.value, dict) or not isinstance(own.value.get("security", {}), dict):
        return own
    security = {**packaged.value["security"], **own.value.get("security", {})}
    return Document(own.shown, {**own.value, "security": security}, own.marks)


def _narrowed(entry: Entries, tools: Mapping[str, RegistryTool]) -> Entries | None:
    """Return a packaged rule with the tools that a registry has, None when it has none of them."""
    left = [tool for tool in (entry["primary"], *entry["fallback"]) if tool in tools]
    return {**entry, "primary": left[0], "fallback": left[1:]} if left else None

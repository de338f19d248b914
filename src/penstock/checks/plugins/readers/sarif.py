"""The reader of SARIF 2.1.0 (OASIS), which compilers, linters and scanners print.

Names follow the standard; section numbers are those of SARIF 2.1.0 errata 01. Every member is optional here, for
tools leave out what they please; one of the wrong type makes the whole unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    load,
    one_line,
    path_text,
    position,
    severity_of,
)
from penstock.model.finding import Category, Finding
from penstock.model.manifest import OutputSpec
from penstock.typed import typed

_ACCEPTED = (None, "accepted")
_PASSING_KINDS = frozenset({"pass", "notApplicable"})
_MAX_BASES = 8
"""How deep bases of addresses may lean on each other."""
_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}")
_DRIVE = re.compile(r"/[A-Za-z]:(?:/|$)")


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    """What all objects of SARIF share: members in camel case."""


class _Message(_Camel, frozen=True):
    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: list[str] | None = None


class _Artifact(_Camel, frozen=True):
    """An artifactLocation (3.4)."""

    uri: str | None = None
    uri_base_id: str | None = None
    index: int = -1


class _ArtifactEntry(_Camel, frozen=True):
    location: _Artifact | None = None


class _Region(_Camel, frozen=True):
    start_line: int | None = None
    start_column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


class _Physical(_Camel, frozen=True):
    artifact_location: _Artifact | None = None
    region: _Region | None = None


class _Location(_Camel, frozen=True):
    physical_location: _Physical | None = None


class _Configuration(_Camel, frozen=True):
    level: str | None = None


class _Rule(_Camel, frozen=True):
    """A reportingDescriptor (3.49)."""

    id: str | None = None
    help_uri: str | None = None
    default_configuration: _Configuration | None = None
    message_strings: dict[str, _Message] | None = None
    short_description: _Message | None = None
    properties: dict[str, Any] | None = None


class _Component(_Camel, frozen=True):
    rules: list[_Rule] | None = None


class _Tool(_Camel, frozen=True):
    driver: _Component | None = None
    extensions: list[_Component] | None = None


class _ComponentReference(_Camel, frozen=True):
    index: int = -1


class _RuleReference(_Camel, frozen=True):
    id: str | None = None
    index: int = -1
    tool_component: _ComponentReference | None = None


class _Suppression(_Camel, frozen=True):
    status: str | None = None


class _Result(_Camel, frozen=True):
    rule_id: str | None = None
    rule_index: int = -1
    rule: _RuleReference | None = None
    kind: str | None = None
    level: str | None = None
    message: _Message | None = None
    locations: list[_Location] | None = None
    suppressions: list[_Suppression] | None = None
    baseline_state: str | None = None
    fixes: list[Any] | None = None


class _Notification(_Camel, frozen=True):
    level: str | None = None
    message: _Message | None = None


class _Invocation(_Camel, frozen=True):
    execution_successful: bool | None = None
    exit_code_description: str | None = None
    tool_execution_notifications: list[_Notification] | None = None
    tool_configuration_notifications: list[_Notification] | None = None


class _Run(_Camel, frozen=True):
    tool: _Tool | None = None
    results: list[_Result] | None = None
    artifacts: list[_ArtifactEntry] | None = None
    invocations: list[_Invocation] | None = None
    original_uri_base_ids: dict[str, _Artifact] | None = None


class _Log(_Camel, frozen=True):
    runs: list[_Run]


def read_sarif(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read SARIF. A notification of level error, and an execution that was no success, make it not ok."""
    try:
        runs = _runs(raw, spec)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    findings = tuple(found for run in runs for found in _findings(run, raw.tool, spec))
    why = next((why for run in runs for why in _failures(run)), None)
    return Parsed(findings, ok=why is None, why=why or "")


def _runs(raw: RawOutput, spec: OutputSpec) -> list[_Run]:
    document = load(raw.of(spec))
    try:
        runs = typed(document, _Log).runs
    except (msgspec.ValidationError, RecursionError) as error:
        raise UnreadableError(f"its output is not SARIF ({one_line(error, 300)})") from None
    if not runs:
        raise UnreadableError("its output tells of no run")
    # without results nothing was looked at (3.14.23), but not every tool that found nothing says []
    if raw.exit_code != 0 and all(run.results is None for run in runs):
        raise UnreadableError("its output has no results")
    return runs


def _failures(run: _Run) -> Iterator[str]:
    """Yield why the tool could not do its work, by its own account (3.20)."""
    for invocation in run.invocations or ():
        told = [
            *(invocation.tool_execution_notifications or ()),
            *(invocation.tool_configuration_notifications or ()),
        ]
        for notification in told:
            if notification.level == "error":
                yield _text(notification.message, None) or "it tells of an error"
        if invocation.execution_successful is False:
            yield one_line(invocation.exit_code_description) or "it says that it did not succeed"


# -- results -------------------------------------------------------------------------------------
def _findings(run: _Run, tool: str, spec: OutputSpec) -> Iterator[Finding]:
    for result in run.results or ():
        if _counts(result):
            yield _finding(result, run, tool, spec)


def _counts(result: _Result) -> bool:
    """Tell whether a result is a finding: not suppressed (3.27.23), not gone, and no pass."""
    suppressions = result.suppressions or []
    suppressed = bool(suppressions) and all(s.status in _ACCEPTED for s in suppressions)
    gone = result.baseline_state == "absent"
    return not suppressed and not gone and result.kind not in _PASSING_KINDS


def _finding(result: _Result, run: _Run, tool: str, spec: OutputSpec) -> Finding:
    rule = _rule(result, run)
    code = one_line(_rule_id(result) or rule.id, 200) or None
    physical = _physical(result)
    category = category_of(spec, code)
    return Finding(
        tool=tool,
        message=_text(result.message, rule)
        or _text(rule.short_description, None)
        or code
        or "no message",
        path=_path(physical.artifact_location, run),
        **_places(physical.region, spec),
        code=code,
        category=Category.SECURITY if _is_security(rule, category) else category,
        severity=severity_of(spec, _level(result, rule), code),
        fixable=bool(result.fixes),
        url=one_line(rule.help_uri) or None,
    )


def _rule_id(result: _Result) -> str | None:
    return result.rule_id or (result.rule.id if result.rule is not None else None)


def _rule(result: _Result, run: _Run) -> _Rule:
    """Return the rule of a result (3.52.3): by index, else by id, of the component that it names."""
    reference = result.rule or _RuleReference()
    rules = _component(reference.tool_component, run).rules or []
    for index in (result.rule_index, reference.index):
        if 0 <= index < len(rules):
            return rules[index]
    wanted = _rule_id(result)
    # the id of a result may name a part of a rule: `CA1000/1` belongs to CA1000 (3.27.5)
    named = {rule.id: rule for rule in reversed(rules)}
    while wanted and wanted not in named:
        wanted = wanted.rpartition("/")[0]
    return named[wanted] if wanted else _Rule()


def _component(reference: _ComponentReference | None, run: _Run) -> _Component:
    tool = run.tool or _Tool()
    extensions = tool.extensions or []
    if reference is not None and 0 <= reference.index < len(extensions):
        return extensions[reference.index]
    return tool.driver or _Component()


def _level(result: _Result, rule: _Rule) -> str:
    """Return the level (3.27.10): the result's, else the rule's, else a warning."""
    if result.level is not None:
        return result.level
    if result.kind not in (None, "fail"):
        return "none"
    default = rule.default_configuration
    return (default.level if default is not None else None) or "warning"


def _text(message: _Message | None, rule: _Rule | None) -> str:
    """Return a message's text, looked up in its rule where it is given by id, with its arguments."""
    if message is None:
        return ""
    template: _Message = message
    if message.text is None and message.markdown is None and rule is not None:
        template = (rule.message_strings or {}).get(message.id or "", message)
    text = template.text or template.markdown or ""
    return one_line(_filled(text, message.arguments or []))


def _filled(text: str, arguments: Sequence[str]) -> str:
    def fill(match: re.Match[str]) -> str:
        index = int(match[1])
        return arguments[index] if index < len(arguments) else match[0]

    if not arguments:
        return text
    filled = _PLACEHOLDER.sub(fill, text)
    return filled.replace("{{", "{").replace("}}", "}")


def _is_security(rule: _Rule, category: Category) -> bool:
    """Tell whether a rule that the manifest says nothing of is marked as one of security."""
    properties = rule.properties or {}
    tags = properties.get("tags")
    tagged = isinstance(tags, list) and "security" in tags
    return category is Category.OTHER and (tagged or "security-severity" in properties)


# -- places --------------------------------------------------------------------------------------
def _physical(result: _Result) -> _Physical:
    for location in result.locations or ():
        if location.physical_location is not None:
            return location.physical_location
    return _Physical()


def _places(region: _Region | None, spec: OutputSpec) -> dict[str, Any]:
    if region is None:
        return {}
    line = position(region.start_line, zero_based="line" in spec.zero_based)
    if line is None:
        return {}
    shift = "column" in spec.zero_based
    end_line = position(region.end_line, zero_based="line" in spec.zero_based)
    end_column = position(region.end_column, zero_based=shift)
    return {
        "line": line,
        "column": position(region.start_column, zero_based=shift),
        "end_line": line if end_line is None and end_column is not None else end_line,
        "end_column": end_column,
    }


def _path(artifact: _Artifact | None, run: _Run) -> str | None:
    """Return the path of a file: of the run's list when it is given by index, under its base."""
    if artifact is None:
        return None
    if artifact.uri is None:
        artifacts = run.artifacts or []
        listed = artifacts[artifact.index] if 0 <= artifact.index < len(artifacts) else None
        artifact = listed.location if listed is not None and listed.location else artifact
    uri = _absolute(artifact, run.original_uri_base_ids or {})
    return path_text(_file_path(uri)) if uri else None


def _absolute(artifact: _Artifact, bases: dict[str, _Artifact]) -> str | None:
    """Put the bases (3.14.14) before an address; one that is not given is the tree."""
    uri = artifact.uri
    for _ in range(_MAX_BASES):
        base = bases.get(artifact.uri_base_id or "")
        if uri is None or base is None or _has_scheme(uri):
            break
        artifact = base
        uri = f"{base.uri.rstrip('/')}/{uri}" if base.uri else uri
    return uri


def _has_scheme(uri: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", uri) is not None


def _file_path(uri: str) -> str | None:
    """Return the path that an address means, None when it is no file's."""
    if uri[:5].lower() == "file:":
        rest = uri[5:]
        if rest.startswith("//"):
            host, _, path = rest[2:].partition("/")
            rest = f"/{path}" if host in ("", "localhost") else f"//{host}/{path}"
        plain = unquote(rest, errors="replace")
        return plain[1:] if _DRIVE.match(plain) else plain
    return None if _has_scheme(uri) else unquote(uri, errors="replace")

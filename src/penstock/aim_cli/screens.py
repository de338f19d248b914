"""What `aim status`, `aim route` and `aim tools contract` show, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from penstock.cli.words import duration, moment, one_line
from penstock.environment.api import HealthReport, Verdict
from penstock.model.times import iso
from penstock.registry.api import AimSettings, Registry
from penstock.routing.api import RouteDecision
from penstock.toolside import ContractResult, ToolStatus
from penstock.trust import Vetted

RULE = "=" * 70
TOOL_COLUMNS = ("TOOL", "SIGNED IN", "COOLING DOWN", "CONTRACT")


def documented_screen(registry: Registry, tools: Sequence[ToolStatus]) -> Iterator[str]:
    """Yield the documented screen: the registry's path, its tools, the routing of capabilities."""
    yield f"AIM Registry Path: {registry.path}"
    yield ""
    yield f"{'Tool ID':<21}{'Detected':<13}Version"
    yield RULE
    for tool in tools:
        found = tool.detection
        detected = "Yes" if found.detected else "No"
        yield f"{found.tool_id:<20} {detected:<13}{found.version or 'N/A'}"
    yield ""
    yield "Capability Routing:"
    yield RULE
    for name, rule in sorted(registry.rules.capabilities.items()):
        yield f"{name}:"
        yield f"  Primary:  {rule.primary}"
        yield f"  Fallback: {', '.join(rule.fallback) or '(none)'}"


def settings_lines(registry: Registry, settings: AimSettings, trail: str) -> Iterator[str]:
    """Yield where the settings come from, and the switches that are off."""
    switches, source = settings.switches, settings.source or "packaged defaults"
    version = f", version {settings.version}" if settings.version else ""
    yield f"Configuration: {source}{version}"
    yield f"Registry: {registry.origin}, {len(registry.tools)} tools"
    if not switches.enable_aim:
        yield f"AIM is off (enable_aim: false in {source}): bundles use their tool directly."
    if switches.enable_audit_logging:
        yield f"Audit trail: {trail}, kept for {switches.audit_log_retention_days} days"
    else:
        yield f"Audit logging is off (enable_audit_logging: false in {source}): nothing is recorded."


def tool_rows(tools: Sequence[ToolStatus], now: float) -> list[tuple[str, str, str, str]]:
    """Return a row for each tool that is there; `now` is seconds since the epoch."""
    return [
        (
            tool.detection.tool_id,
            tool.sign_in.words,
            cooling_words(tool, now),
            contract_words(tool.contract, tool.unproven),
        )
        for tool in tools
        if tool.detection.detected
    ]


def absent_lines(tools: Sequence[ToolStatus], registry: Registry) -> Iterator[str]:
    """Yield how to get each tool that is not there."""
    for tool in tools:
        if not tool.detection.detected:
            tool_id = tool.detection.tool_id
            yield f"  {tool_id}: {registry.tools[tool_id].install_hint}"


def unproven_line(tools: Sequence[ToolStatus]) -> str | None:
    """Name the tools whose adapters were never run against the real thing."""
    names = [tool.detection.tool_id for tool in tools if tool.unproven]
    return f"Unproven adapters: {', '.join(names)}" if names else None


def cooling_words(tool: ToolStatus, now: float) -> str:
    """Say until when a tool is left alone and why; `-` when it is not."""
    if tool.cooling_until is None:
        return "-"
    left = duration(tool.cooling_until - now)
    why = f" ({tool.cooling_reason})" if tool.cooling_reason else ""
    return f"until {moment(iso(tool.cooling_until))}, {left} left{why}"


def cooling_line(tools: Sequence[ToolStatus], now: float) -> str:
    """Name the tools that are left alone for a while."""
    cooling = [tool for tool in tools if tool.cooling_until is not None]
    told = (f"{tool.detection.tool_id} {cooling_words(tool, now)}" for tool in cooling)
    return f"Cooling down: {', '.join(told) or 'none'}"


def health_lines(report: HealthReport) -> Iterator[str]:
    """Yield how machine and repository are, and what is not as it should be."""
    yield f"Health: {health_words(report)} (all of it: aim health check)"
    yield from finding_lines(report)


def health_words(report: HealthReport) -> str:
    """Say in one line how the machine is."""
    counts = report.summary
    told = f"{counts.passed} pass, {counts.warn} warn, {counts.fail} fail"
    return f"{report.overall_status.value}: {told}"


def finding_lines(report: HealthReport) -> Iterator[str]:
    """Yield a line for each check that does not pass."""
    for check in report.checks:
        if check.status is not Verdict.PASS:
            yield f"  {check.status.value}  {check.name}: {one_line(check.message)}"


def contract_words(result: ContractResult | None, unproven: str | None) -> str:
    """Say what the last probe of a tool found."""
    if result is None:
        return "unproven" if unproven else "not probed"
    if result.mismatches:
        return f"broken: {one_line('; '.join(result.mismatches))}"
    return f"kept, probed {moment(iso(result.probed_at))}"


def decision_line(decision: RouteDecision) -> str:
    """Say in one line which tool a capability would be given now, and why."""
    if decision.tool_id is not None:
        return f"{decision.capability}: {decision.tool_id} ({decision.reason})"
    wait = f", free at {moment(iso(decision.wait_until))}" if decision.wait_until else ""
    return f"{decision.capability}: no tool ({decision.reason}{wait})"


def rejected_lines(decision: RouteDecision) -> Iterator[str]:
    """Yield why each candidate was passed over."""
    for passed in decision.rejected:
        yield f"  not {passed.tool_id}: {passed.reason}"


def contract_row(tool_id: str, result: ContractResult | None) -> tuple[str, str, str, str]:
    """Return the row of one probe; None is a tool that is not there."""
    if result is None:
        return tool_id, "-", "-", "not installed"
    words = contract_words(result, None)
    return tool_id, result.version or "-", result.measured or "never", words


def code_row(vetted: Vetted) -> tuple[str, str, str, str]:
    """Return the row of a piece of code of others."""
    since = "-" if vetted.since is None else moment(iso(vetted.since))
    state = f"refused: {vetted.reason}" if vetted.reason else vetted.standing.value
    return vetted.name, one_line(state), since, str(vetted.path)


# -- JSON --------------------------------------------------------------------------------------
def tool_document(tool: ToolStatus, registry: Registry) -> dict[str, Any]:
    """Return one tool for machines; times are ISO 8601, None for what is not."""
    found = tool.detection
    until = tool.cooling_until
    return {
        "tool_id": found.tool_id,
        "name": registry.tools[found.tool_id].name,
        "detected": found.detected,
        "path": found.path,
        "version": found.version,
        "version_from": found.version_from,
        "install": registry.tools[found.tool_id].install_hint,
        "sign_in": {**msgspec.to_builtins(tool.sign_in), "words": tool.sign_in.words},
        "cooling_until": None if until is None else iso(until),
        "cooling_reason": tool.cooling_reason,
        "contract": contract_document(tool.contract),
        "unproven": tool.unproven,
    }


def code_documents(codes: Mapping[Vetted, Sequence[str]]) -> list[dict[str, Any]]:
    """Return code of others for machines, each with what linters find in it."""
    return [
        {
            "name": vetted.name,
            "path": str(vetted.path),
            "standing": vetted.standing.value,
            "sha256": vetted.digest,
            "reason": vetted.reason,
            "since": None if vetted.since is None else iso(vetted.since),
            "findings": list(lines),
        }
        for vetted, lines in codes.items()
    ]


def contract_document(result: ContractResult | None) -> dict[str, Any] | None:
    """Return a probe's result for machines."""
    if result is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return {**plain, "ok": not result.mismatches, "probed_at": iso(result.probed_at)}


def health_document(report: HealthReport) -> dict[str, Any]:
    """Return the summary of a look at the machine for machines."""
    return {
        "overall_status": report.overall_status.value,
        "summary": msgspec.to_builtins(report.summary),
        "findings": {c.name: c.message for c in report.checks if c.status is not Verdict.PASS},
    }


def decision_document(decision: RouteDecision) -> dict[str, Any]:
    """Return a decision for machines."""
    plain: dict[str, Any] = msgspec.to_builtins(decision)
    until = decision.wait_until
    return {**plain, "wait_until": None if until is None else iso(until)}


def status_document(
    registry: Registry,
    settings: AimSettings,
    trail: str,
    tools: Sequence[ToolStatus],
    decisions: Mapping[str, RouteDecision],
) -> dict[str, Any]:
    """Return all of `aim status` for machines."""
    rules = registry.rules.capabilities
    return {
        "registry": {
            "path": str(registry.path),
            "origin": registry.origin,
            "packaged": registry.packaged,
        },
        "configuration": {
            "source": settings.source,
            "version": settings.version,
            **msgspec.to_builtins(settings.switches),
        },
        "audit": {"enabled": settings.switches.enable_audit_logging, "folder": trail},
        "tools": [tool_document(tool, registry) for tool in tools],
        "capabilities": {
            name: {
                "primary": rules[name].primary,
                "fallback": list(rules[name].fallback),
                "now": decision_document(decisions[name]),
            }
            for name in sorted(rules)
        },
    }

"""A plan as files and as one JSON document."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from penstock.model.bundle import Bundle
from penstock.planning.drafting.api import NeedsScope, Plan, PlannedBundle
from penstock.planning.drafting.check import findings
from penstock.planning.drafting.slugs import slug
from penstock.planning.sources.api import PlanSource, Trace, Unit
from penstock.schedule.waves import parallel_plan

SKETCHES: Final = "sketches"
"""The folder of placeholders: within the bundles' one, where no run looks."""
_ALWAYS = ("id", "openspec_change", "ccpm_issue", "gate", "files_scope", "tasks", "tool")


def bundle_files(plan: Plan) -> dict[str, str]:
    """Return what to write, by name within the output directory.

    With `options.sketch` also a placeholder for each unit that needs a scope; its `files_scope` is
    empty, so that it is no bundle until somebody fills it in.
    """
    files = {planned.file: _text(_fields(planned.bundle)) for planned in plan.bundles}
    if plan.options.sketch:
        files.update(_sketches(plan))
    return files


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan for machines: counts, bundles with their evidence, what needs a scope, notices,
    and the waves of what may run side by side."""
    document: dict[str, Any] = {
        "sources": [_source(source) for source in plan.sources],
        "items": msgspec.to_builtins(plan.items),
        "bundles": [_bundle(planned) for planned in plan.bundles],
        "needs_scope": [msgspec.to_builtins(needs) for needs in plan.needs_scope],
        "notices": [msgspec.to_builtins(notice) for notice in findings(plan)],
        "waves": [list(wave) for wave in _waves(plan)],
        "options": msgspec.to_builtins(plan.options),
    }
    return document


def _waves(plan: Plan) -> tuple[tuple[str, ...], ...]:
    bundles = [planned.bundle for planned in plan.bundles]
    return parallel_plan(bundles, max(1, len(bundles))).waves


def _source(source: PlanSource) -> dict[str, Any]:
    return {
        "dialect": str(source.dialect),
        "id": source.id,
        "plan_id": source.plan_id,
        "title": source.title,
        "path": source.path,
        "files": dict(sorted(source.files.items())),
    }


def _bundle(planned: PlannedBundle) -> dict[str, Any]:
    return {
        "file": planned.file,
        "bundle": _fields(planned.bundle),
        "reasons": list(planned.reasons),
    }


def _fields(bundle: Bundle) -> dict[str, Any]:
    """The fields of a bundle, without those that are as if they were not there."""
    fields: dict[str, Any] = msgspec.to_builtins(bundle)
    default = msgspec.to_builtins(
        Bundle(
            id="ws-x",
            openspec_change="",
            ccpm_issue=0,
            gate=1,
            files_scope=("x",),
            tasks=(),
            tool="x",
        )
    )
    return {k: v for k, v in fields.items() if k in _ALWAYS or v != default[k]}


def _text(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _sketches(plan: Plan) -> dict[str, str]:
    """The placeholders of what needs a scope, by name."""
    count: dict[str, int] = {}
    found: dict[str, str] = {}
    for needs in plan.needs_scope:
        at, unit = _origin(plan, needs)
        stem = plan.stems[at]
        count[stem] = count.get(stem, 0) + 1
        name = f"{SKETCHES}/ws-generated-placeholder-{stem}-{count[stem]}.json"
        found[name] = _text(_sketch(plan, needs, plan.sources[at], unit, stem))
    return found


def _origin(plan: Plan, needs: NeedsScope) -> tuple[int, Unit]:
    """The source, by its number, and the unit that need a scope; plans may share a name."""
    first = needs.items[0].place
    return next(
        (at, unit)
        for at, source in enumerate(plan.sources)
        if source.plan_id == needs.source
        for unit in source.units
        if unit.key == needs.unit and any(item.place == first for item in unit.items)
    )


def _sketch(
    plan: Plan, needs: NeedsScope, source: PlanSource, unit: Unit, stem: str
) -> dict[str, Any]:
    labels = {item.key: item.label for item in needs.items}
    return {
        "id": f"ws-{stem}-{slug(unit.key, 'unit')}-sketch",
        "openspec_change": needs.source,
        "ccpm_issue": unit.issue,
        "gate": unit.gate,
        "files_scope": [],
        "tasks": [
            " ".join(part for part in (labels[item.key], item.text) if part) for item in needs.items
        ],
        "tool": plan.options.tool or "",
        "metadata": {
            "plan": msgspec.to_builtins(_sketch_trace(source, needs)),
            "needs_scope": {
                "why": needs.why,
                "doubtful": msgspec.to_builtins(needs.doubtful),
                "items": msgspec.to_builtins(needs.items),
            },
        },
    }


def _sketch_trace(source: PlanSource, needs: NeedsScope) -> Trace:
    return Trace(
        dialect=source.dialect,
        id=source.id,
        path=source.path,
        files=source.files,
        units=(needs.unit,),
        items=needs.items,
    )

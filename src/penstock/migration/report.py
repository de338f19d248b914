"""What a migration has to say, for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from penstock.migration.api import (
    REPORT_JSON,
    REPORT_MD,
    Action,
    Check,
    Report,
    Secrets,
    Validation,
)
from penstock.migration.files import Base, Name
from penstock.migration.plan import Plan

_SIGNS: Mapping[str, str] = {"pass": "ok", "warn": "look", "fail": "FAILED"}
_WORDS: Mapping[Action, str] = {
    Action.SET: "carried over",
    Action.SAME: "there already",
    Action.KEPT: "kept as it was",
    Action.LEFT: "left out",
}


def make_report(
    plan: Plan,
    *,
    now: str,
    valueless: tuple[str, ...],
    backup: str | None = None,
    validation: Validation | None = None,
    dry_run: bool = False,
    recovered: str | None = None,
) -> Report:
    """Return the report of a plan that was carried out, or of one that was only made.

    `valueless` are secrets without a value.
    """
    changed = [str(name) for name in plan.writes]
    changed += [str(Name(Base.AIM_HOME, "secrets_metadata.json"))] if plan.entered else []
    return Report(
        created_at=now,
        source=plan.shown,
        dry_run=dry_run,
        changed=tuple(changed),
        mapped=plan.mapped,
        unmapped=plan.unmapped,
        secrets=Secrets(migrated=plan.secrets, needs_reentry=valueless),
        warnings=plan.warnings,
        to_do=tuple(_to_do(plan, valueless)),
        backup_path=backup,
        validation=validation or Validation(),
        recovered=recovered,
    )


def _to_do(plan: Plan, valueless: tuple[str, ...]) -> Iterator[str]:
    """Yield what only people can do, as commands where there is one."""
    for key in valueless:
        yield f"aim secrets set {key}"
    settled = {item.new for item in plan.mapped if item.action in (Action.SET, Action.SAME)}
    if any(new.startswith("environment.versionPins") for new in settled):
        yield "aim version check"
    if settled & {"environment.pipxApps", "environment.npmGlobal"}:
        yield "aim tools install-all"
    if plan.unmapped:
        yield f"look at the {len(plan.unmapped)} settings that have no place in aim_config"


def report_files(report: Report) -> dict[Name, bytes]:
    """Return the files of a report, in JSON and Markdown."""
    text = json.dumps(report_document(report), indent=2, ensure_ascii=False) + "\n"
    return {
        Name(Base.REPOSITORY, REPORT_JSON): text.encode("utf-8", "replace"),
        Name(Base.REPOSITORY, REPORT_MD): markdown(report).encode("utf-8", "replace"),
    }


def report_document(report: Report) -> dict[str, Any]:
    """Return a report for programs."""
    plain: dict[str, Any] = msgspec.to_builtins(report)
    return {**plain, "validation": {"ok": report.validation.ok, **plain["validation"]}}


# -- for people ----------------------------------------------------------------------------------
def markdown(report: Report) -> str:
    """Return a report as a page."""
    return "\n".join((*_head(report), *_settings(report), *_secrets(report), *_rest(report), ""))


def _head(report: Report) -> Iterator[str]:
    yield f"# Migration of {report.source}"
    yield ""
    yield f"Made {report.created_at}."
    if report.backup_path:
        yield f"The files as they were are in `{report.backup_path}`; `aim migrate rollback` puts"
        yield "them back."


def _settings(report: Report) -> Iterator[str]:
    yield ""
    yield "## Mapped"
    yield ""
    yield from _table(
        ("old", "new", "value", "what became of it"),
        (
            (item.old, item.new, _brief(item.value), _became(item.action, item.note))
            for item in report.mapped
        ),
    )
    yield ""
    yield "## Unmapped"
    yield ""
    yield from _table(
        ("old", "value", "remark"),
        ((item.key, _brief(item.value), item.note) for item in report.unmapped),
    )


def _became(action: Action, note: str | None) -> str:
    return f"{_WORDS[action]}: {note}" if note else _WORDS[action]


def _secrets(report: Report) -> Iterator[str]:
    yield ""
    yield "## Secrets"
    yield ""
    missing = set(report.secrets.needs_reentry)
    if not report.secrets.migrated:
        yield "None."
    for key in report.secrets.migrated:
        state = "its value must be entered again" if key in missing else "has a value"
        yield f"- `{key}`: {state}"


def _rest(report: Report) -> Iterator[str]:
    for heading, lines in (
        ("Warnings", report.warnings),
        ("To do", report.to_do),
        ("Validation", tuple(check_line(check) for check in report.validation.checks)),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from (f"- {line}" for line in lines or ("Nothing.",))


def check_line(check: Check) -> str:
    """Return one check as a line."""
    return f"{check.name}: {_SIGNS[check.status]}: {check.message}"


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    if not lines:
        yield "Nothing."
        return
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from lines


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= 120 else text[:117] + '...'}`"

"""The prompt of an AI attempt: the files, what is wrong with them, and what the last attempt changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from penstock.engine.escalation.workplace import Workplace
from penstock.engine.prompt import repository_conventions, summary
from penstock.model.error_report import AttemptReport
from penstock.model.escalation import EscalationContext
from penstock.model.finding import Finding
from penstock.model.fingerprint import compare

SHOWN = 60
"""How many findings of a kind are listed."""
_OPENING = (
    "Checks found errors in files of one git repository ({ws}, run {run}). Mend their cause in these "
    "files and keep what the code does."
)
_STRICT = "The checks pass when they find nothing at all, warnings and style included."
_LENIENT = "The checks pass when no syntax error, type error or failed test is left."
_RULES = (
    "- Edit files only; do not run git commit, checkout, stash or push.\n"
    "- Change nothing but {scope}; with any other change the whole attempt is undone.\n"
    "- Do not delete or empty a file, and do not silence, skip or weaken a check to make it pass."
)


def attempt_prompt(context: EscalationContext, workplace: Workplace, tree: Path) -> str:
    """Return the prompt of the AI attempt that comes next; conventions are read from `tree`."""
    report, before = context.last_error_report, context.previous_error_report
    told = repository_conventions(tree)
    parts = [
        _OPENING.format(ws=context.workstream_id, run=context.run_id),
        _section("Files", "\n".join(f"- {path}" for path in context.files)),
        *(_findings(report, before) if report is not None else ()),
        *_earlier(context),
        *(
            [_section("The task that these files are part of", _task(workplace))]
            * _has_task(workplace)
        ),
        *([_section("Conventions of this repository", told)] if told else []),
        _section("Rules", f"- {_goal(context)}\n{_RULES.format(scope=_scope(workplace))}"),
    ]
    return "\n\n".join(parts) + "\n"


def _goal(context: EscalationContext) -> str:
    return _STRICT if context.strict_mode else _LENIENT


def _findings(report: AttemptReport, before: AttemptReport | None) -> Iterable[str]:
    """Give the findings, told apart by what the attempt before did to them."""
    if before is None:
        yield _section("Findings", _listed(report.issues))
        return
    found = compare(before.issues, report.issues)
    counts = f"{len(found.new)} new, {len(found.fixed)} fixed, {len(found.unchanged)} unchanged"
    yield _section(f"Findings, compared with the check before: {counts}", "")
    for title, findings in (
        ("New: the last change brought these", found.new),
        ("Unchanged: these are still there", found.unchanged),
        ("Fixed: these are gone, keep it so", found.fixed),
    ):
        if findings:
            yield _section(title, _listed(findings))


def _earlier(context: EscalationContext) -> Iterable[str]:
    lines = [f"- {a.label}, {a.agent.value}: {a.notes}" for a in context.ai_attempts]
    if lines:
        yield _section("Earlier attempts", "\n".join(lines))


def _listed(findings: Iterable[Finding]) -> str:
    lines = [f"- {summary(found)} [{found.tool}]" for found in findings]
    more = [f"- ... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])


def _has_task(workplace: Workplace) -> int:
    return int(workplace.bundle is not None and bool(workplace.bundle.tasks))


def _task(workplace: Workplace) -> str:
    tasks = workplace.bundle.tasks if workplace.bundle is not None else ()
    return "\n".join(f"- {task}" for task in tasks)


def _scope(workplace: Workplace) -> str:
    if workplace.bundle is None:
        return "these files"
    return f"what the workstream may change ({', '.join(workplace.bundle.claims)})"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}".rstrip()

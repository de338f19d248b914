"""Attempts and results in words, shared by show, report and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.cli.words import count, duration, money, one_line, plural, shortened
from penstock.model.results import RunResult, StepResult, WorkstreamResult

FINDINGS_SHOWN = 10
NAME_WIDTH = 60
MARKS = {True: "ok", False: "failed"}


def step_line(step: StepResult) -> str:
    """Return one attempt: `edit 1  ok  scripted, edited, 0.4s`."""
    checked = "checks" in step.details or "skipped" in step.details
    about = [None if checked else step.tool_id, None if checked else step.outcome]
    about.append(duration(step.duration_sec))
    if step.details.get("skipped"):
        about = ["nothing to run, skipped"]
    words = ", ".join(part for part in about if part and part != "-")
    state = MARKS[step.success] if step.status in ("succeeded", "failed") else step.status
    return f"{step.step_name} {step.attempt}  {state}  {words}".rstrip()


def step_details(step: StepResult, *, limit: int = FINDINGS_SHOWN) -> list[str]:
    """Return what is behind an attempt, a line each: error, checks, findings, notes, files."""
    checks = mappings(step.details.get("checks"))
    told = step.error_message is not None and (not checks or "problem" in step.details)
    lines = [one_line(step.error_message or "")] if told else []
    lines += [check_line(check) for check in checks]
    findings = mappings(step.details.get("findings"))
    lines += [finding_line(finding) for finding in findings[:limit]]
    total = int(step.details.get("findings_count") or len(findings))
    if total > min(len(findings), limit):
        lines.append(f"and {total - min(len(findings), limit)} more findings")
    lines += [f"note: {one_line(str(note))}" for note in step.details.get("notes") or ()]
    for key, what in (("patch", "kept"), ("commit", "commit"), ("log", "log")):
        if step.details.get(key) and not step.details.get("skipped"):
            lines.append(f"{what}: {step.details[key]}")
    return lines


def check_line(check: Mapping[str, Any]) -> str:
    """Return one check: `ruff: failed (exit code 1, 0.2s)`."""
    name = shortened(str(check.get("check_id") or "check"), NAME_WIDTH)
    state = "passed" if check.get("passed") else "failed"
    if check.get("flaky"):
        state = "passed when run once more (flaky)"
    about = []
    if check.get("exit_code") is not None and not check.get("passed"):
        about.append(f"exit code {check['exit_code']}")
    if check.get("tests") is not None:
        about.append(plural(int(check["tests"]), "test"))
    took = check.get("duration_sec", check.get("duration_s"))
    if isinstance(took, (int, float)):
        about.append(duration(float(took)))
    if check.get("timed_out"):
        about.append("timed out")
    words = f" ({', '.join(about)})" if about else ""
    return one_line(f"{name}: {state}{words}")


def finding_line(finding: Mapping[str, Any]) -> str:
    """Return one finding as `path:line: code message`."""
    place = ":".join(str(finding[k]) for k in ("path", "line") if finding.get(k) is not None)
    text = " ".join(str(finding[k]) for k in ("code", "message") if finding.get(k))
    return one_line(f"{place}: {text}" if place else text)


def totals(workstreams: Sequence[WorkstreamResult]) -> str:
    """Return `3 of 4 done, 12.3k tokens in, 4.5k out, $0.1234`; unknown amounts are left out."""
    done = sum(w.final_status == "done" for w in workstreams)
    parts = [f"{done} of {len(workstreams)} done"]
    tokens_in = add(w.input_tokens for w in workstreams)
    tokens_out = add(w.output_tokens for w in workstreams)
    cost = add(w.cost_usd for w in workstreams)
    if tokens_in is not None:
        parts.append(f"{count(int(tokens_in))} tokens in")
    if tokens_out is not None:
        parts.append(f"{count(int(tokens_out))} out")
    if cost is not None:
        parts.append(money(cost))
    return ", ".join(parts)


def add(values: Iterable[float | None]) -> float | None:
    """Add what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def fixes(workstream: WorkstreamResult) -> int:
    """Return how many FIX turns a workstream took."""
    return sum(step.step_name == "fix" for step in workstream.steps)


def summary_rows(result: RunResult) -> list[tuple[str, ...]]:
    """Return the rows of the table of a finished run."""
    return [
        (
            w.ws_id,
            w.final_status,
            str(fixes(w)),
            duration(add(s.duration_sec for s in w.steps)),
            money(w.cost_usd),
            w.reason or "",
        )
        for w in result.workstreams
    ]


SUMMARY_COLUMNS = ("WORKSTREAM", "STATE", "FIXES", "TOOK", "COST", "REASON")


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings of a list whose shape an older journal may have written otherwise."""
    if not isinstance(value, (list, tuple)):
        return []
    return [item for item in value if isinstance(item, Mapping)]

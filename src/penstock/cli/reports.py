"""A run as text and as Markdown."""

from __future__ import annotations

import re

from penstock.cli.figures import Section, sections
from penstock.cli.output import plain_table
from penstock.cli.render import (
    SUMMARY_COLUMNS,
    fixes,
    step_details,
    step_line,
    summary_rows,
    totals,
)
from penstock.cli.words import count, duration, moment, money, one_line
from penstock.model.figures import RunFigures
from penstock.model.results import RunResult, WorkstreamResult
from penstock.model.times import seconds

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def took(result: RunResult) -> str:
    """Return how long a run took, `-` while it is not over."""
    if result.started_at is None or result.ended_at is None:
        return "-"
    return duration(seconds(result.ended_at) - seconds(result.started_at))


def text_report(result: RunResult, figures: RunFigures | None = None) -> str:
    """Return a run as plain text, with its figures where they are given."""
    lines = [
        f"Run {result.run_id}: {result.status}",
        f"Started {moment(result.started_at)}, took {took(result)}",
        f"Total: {totals(result.workstreams)}",
        "",
        plain_table(SUMMARY_COLUMNS, summary_rows(result)),
    ]
    for workstream in result.workstreams:
        lines += ["", *_text_workstream(workstream)]
    for section in sections(figures) if figures is not None else ():
        lines += ["", *text_section(section)]
    return "\n".join(lines) + "\n"


def text_section(section: Section) -> list[str]:
    """Return a section of figures as lines."""
    if not section.rows:
        return [f"{section.title}: {one_line(section.note)}"]
    head = f"{section.title}: {one_line(section.note)}" if section.note else section.title
    table = plain_table(section.columns, section.rows)
    return [head, *(f"  {line}" for line in table.splitlines())]


def branch_line(workstream: WorkstreamResult) -> str:
    """Return the branch of a workstream and what it holds."""
    commit = f"at {workstream.commit[:12]}" if workstream.commit else "(nothing committed)"
    return f"{workstream.branch} {commit}"


def _text_workstream(workstream: WorkstreamResult) -> list[str]:
    lines = [f"{workstream.ws_id}: {workstream.final_status}"]
    if workstream.reason:
        lines.append(f"  reason: {one_line(workstream.reason)}")
    if workstream.branch:
        lines.append(f"  branch: {branch_line(workstream)}")
    for step in workstream.steps:
        lines.append(f"  {step_line(step)}")
        lines += [f"    {line}" for line in step_details(step)]
    return lines


def markdown_report(result: RunResult, figures: RunFigures | None = None) -> str:
    """Return a run as Markdown, what tools said escaped, with its figures where they are given."""
    lines = [
        f"# Run `{_code(result.run_id)}`: {escape(result.status)}",
        "",
        f"Started {moment(result.started_at)}, took {took(result)}. {totals(result.workstreams)}.",
        "",
        "| workstream | state | fixes | tokens in / out | cost | reason |",
        "|---|---|---|---|---|---|",
        *(_markdown_row(w) for w in result.workstreams),
    ]
    for workstream in result.workstreams:
        lines += ["", *_markdown_workstream(workstream)]
    for section in sections(figures) if figures is not None else ():
        lines += ["", *_markdown_section(section)]
    return "\n".join(lines) + "\n"


def _markdown_section(section: Section) -> list[str]:
    lines = [f"## {escape(section.title)}"]
    if section.note:
        lines += ["", escape(section.note)]
    if section.rows:
        names = [name.lower() for name in section.columns]
        lines += ["", f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        lines += [f"| {' | '.join(escape(cell) for cell in row)} |" for row in section.rows]
    return lines


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return SPECIAL.sub(r"\\\1", one_line(text))


def _code(text: str) -> str:
    return one_line(text).replace("`", "'").replace("|", "\\|")


def _markdown_row(w: WorkstreamResult) -> str:
    tokens = f"{count(w.input_tokens)} / {count(w.output_tokens)}"
    cells = (w.final_status, str(fixes(w)), tokens, money(w.cost_usd), w.reason or "")
    return f"| `{_code(w.ws_id)}` | " + " | ".join(escape(cell) for cell in cells) + " |"


def _markdown_workstream(workstream: WorkstreamResult) -> list[str]:
    lines = [f"## `{_code(workstream.ws_id)}`: {escape(workstream.final_status)}", ""]
    if workstream.reason:
        lines += [escape(workstream.reason), ""]
    if workstream.branch:
        commit = (workstream.commit or "-")[:12]
        lines += [f"Branch `{_code(workstream.branch)}` at `{_code(commit)}`.", ""]
    for step in workstream.steps:
        lines.append(f"- {escape(step_line(step))}")
        lines += [f"  - {escape(line)}" for line in step_details(step)]
    return lines

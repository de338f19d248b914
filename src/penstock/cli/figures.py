"""The figures of a run in words: titled tables, the same for text and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.cli.words import count, duration, one_line, plural
from penstock.model.figures import DiffStat, Integration, RunFigures, ToolFigures, WorkstreamFigures
from penstock.model.progress import DaySpent, Usage

PATHS_SHOWN = 5


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a title; `note` is a sentence before it, alone when there are no rows."""

    title: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(figures: RunFigures) -> list[Section]:
    """Return what the figures have to say; what did not happen is left out, but for the checks."""
    found = [
        Section(title="Spent", note=spent(figures)),
        _workstreams(figures),
        _tools(figures.tools),
        _steps(figures),
        _integration(figures.integration),
        _table(
            "Breaker trips",
            ("WORKSTREAM", "STEP", "BREAKER", "WHY"),
            [(t.ws_id, t.step, t.reason, t.message) for t in figures.breaker_trips],
        ),
        _table(
            "Flaky checks",
            ("WORKSTREAM", "STEP", "CHECK"),
            [(f.ws_id, f.step, f.check) for f in figures.flaky],
        ),
        _offences(figures),
        _again(figures),
        _table(
            "Waits",
            ("FOR", "TIMES", "TIME"),
            [(w.reason, str(w.times), duration(w.duration_sec)) for w in figures.waits],
        ),
        _table(
            "Quarantined",
            ("WORKSTREAM", "WHY"),
            [(q.ws_id or "the run", q.reason or "-") for q in figures.quarantines],
        ),
        _not_checked(figures),
    ]
    return [section for section in found if section.rows or section.note]


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Section:
    return Section(title=title, columns=columns, rows=tuple(rows))


def dollars(value: float | None) -> str:
    """Return USD in as many digits as its size needs: `$0.0042`, `$0.42`, `$12.30`."""
    if value is None:
        return "-"
    return f"${value:.2f}" if value == 0 or value >= 0.1 else f"${value:.4f}"


def cost_of(usage: Usage) -> str:
    """Return what turns cost; `at least` where the cost of one is unknown."""
    if usage.cost_usd is None:
        return "-"
    return f"{'at least ' if usage.unpriced else ''}{dollars(usage.cost_usd)}"


def against(value: float, cap: float | None) -> str:
    """Return the share of a cap that is used: ` (42 %)`, nothing without a cap."""
    return f" ({100 * value / cap:.0f} %)" if cap else ""


def spent(figures: RunFigures) -> str:
    """Return money and tokens against their caps, in a sentence."""
    usage, money, tokens = figures.usage, figures.max_cost_usd, figures.max_tokens
    cost = cost_of(usage) if usage.cost_usd is not None else "nothing known"
    of_money = "" if money is None else f" of {dollars(money)}"
    parts = [f"{cost}{of_money}{against(usage.cost_usd or 0.0, money)}"]
    if usage.tokens is not None or tokens is not None:
        of_tokens = "" if tokens is None else f" of {count(tokens)}"
        used = usage.tokens or 0
        parts.append(f"{count(used)}{of_tokens} tokens{against(float(used), tokens)}")
    if figures.today is not None:
        parts.append(today_words(figures.today))
    if usage.unpriced:
        parts.append(f"the cost of {plural(usage.unpriced, 'turn')} is unknown")
    if figures.diff is not None:
        parts.append(f"integrated: {diff_words(figures.diff)}")
    return f"{'; '.join(parts)}."


def today_words(today: DaySpent) -> str:
    """Return what a day has used of its caps: `today $1.20 of $10.00, 1.2k of 5.0k tokens`."""
    parts = []
    if today.max_cost_usd is not None:
        parts.append(f"{dollars(today.cost_usd)} of {dollars(today.max_cost_usd)}")
    if today.max_tokens is not None:
        parts.append(f"{count(today.tokens)} of {count(today.max_tokens)} tokens")
    return f"today {', '.join(parts)}"


def diff_words(diff: DiffStat) -> str:
    """Return the size of a diff: `3 files, +40 -2`."""
    return f"{plural(diff.files, 'file')}, +{diff.insertions} -{diff.deletions}"


def _workstreams(figures: RunFigures) -> Section:
    columns = ("WORKSTREAM", "TURNS", "IN", "OUT", "COST", "CAP", "TIME", "FILES", "LINES")
    return _table("Workstreams", columns, [_workstream(w) for w in figures.workstreams])


def _workstream(w: WorkstreamFigures) -> tuple[str, ...]:
    return (
        w.ws_id,
        str(w.usage.turns),
        count(w.usage.input_tokens),
        count(w.usage.output_tokens),
        cost_of(w.usage),
        dollars(w.max_cost_usd),
        duration(w.duration_sec),
        str(w.diff.files) if w.diff else "-",
        f"+{w.diff.insertions} -{w.diff.deletions}" if w.diff else "-",
    )


def _tools(tools: Sequence[ToolFigures]) -> Section:
    columns = ("TOOL", "TURNS", "OK", "FAILED", "SUCCESS", "TIME", "IN", "OUT", "COST")
    rows = [
        (
            t.tool_id,
            str(t.turns),
            str(t.succeeded),
            str(t.failed),
            "-" if t.success_rate is None else f"{100 * t.success_rate:.0f} %",
            duration(t.duration_sec),
            count(t.usage.input_tokens),
            count(t.usage.output_tokens),
            cost_of(t.usage),
        )
        for t in tools
    ]
    return _table("Tools", columns, rows)


def _steps(figures: RunFigures) -> Section:
    rows = [
        (
            s.step_name,
            str(s.attempts),
            str(s.succeeded),
            str(s.failed),
            duration(s.duration_sec),
            duration(s.duration_sec / s.attempts),
        )
        for s in figures.steps
    ]
    return _table("Steps", ("STEP", "ATTEMPTS", "OK", "FAILED", "TIME", "MEAN"), rows)


def _integration(found: Integration) -> Section:
    parts = [f"{found.merged} merged"]
    if found.open:
        parts.append(f"{found.open} not merged")
    if found.checks:
        parts.append(f"{plural(found.checks, 'check')} of the merged tree, {found.red} red")
    if found.fixes:
        parts.append(plural(found.fixes, "turn") + " to mend it")
    rows = [(c.ws_id, "conflict", c.paths) for c in found.conflicts]
    rows += [(ws_id, "rejected", "-") for ws_id in found.rejected]
    return Section(
        title="Integration",
        note=f"{', '.join(parts)}.",
        columns=("WORKSTREAM", "WHAT", "WHERE"),
        rows=tuple(rows),
    )


def _offences(figures: RunFigures) -> Section:
    rows = []
    for offence in figures.scope_violations:
        more = len(offence.paths) - PATHS_SHOWN
        paths = ", ".join(offence.paths[:PATHS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        rows.append((offence.ws_id, offence.step, offence.policy, paths, offence.patch or "-"))
    return _table("Scope violations", ("WORKSTREAM", "STEP", "POLICY", "PATHS", "KEPT"), rows)


def _again(figures: RunFigures) -> Section:
    rows = [
        (a.ws_id, f"{a.step} {a.attempt}", a.tool_id or "-", a.why) for a in figures.attempts_again
    ]
    return _table("Lost or tried again", ("WORKSTREAM", "ATTEMPT", "TOOL", "WHY"), rows)


def _not_checked(figures: RunFigures) -> Section:
    rows = tuple((n.ws_id, n.step, one_line(n.why)) for n in figures.not_checked)
    note = "" if rows else "Every step that was come to had checks to run."
    return Section(title="Not checked", note=note, columns=("WORKSTREAM", "STEP", "WHY"), rows=rows)

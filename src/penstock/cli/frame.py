"""A run as lines for a screen of a given size: drawn several times a second, so made of text only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from penstock.cli.board import Board, Row
from penstock.cli.figures import dollars, today_words
from penstock.cli.words import about, count, duration, one_line
from penstock.model.progress import RunNow

Span = tuple[str, str]
"""Text and its style."""
Line = tuple[Span, ...]

STYLES = {
    "done": "green",
    "merged": "green",
    "failed": "red",
    "conflict": "red",
    "rejected": "red",
    "quarantined": "red",
    "canceled": "yellow",
    "waiting": "yellow",
    "pending": "dim",
}
# The journal's names of states, short enough for 80 columns.
STATE_WORDS = {"ready_for_static": "checking", "static_check": "static", "runtime_tests": "runtime"}
MERGE_WORDS = {
    "queued": "merging",
    "merged": "merged",
    "conflict": "conflict",
    "rejected": "rejected",
}
WAIT_WORDS = {
    "dependency": "for others",
    "approval": "for approval",
    "rate_limit": "for a rate limit",
    "budget": "for budget",
    "slots": "for a slot",
    "overlap": "for overlapping work",
    "group": "for their group",
    "alone": "to be alone",
    "paused": "paused",
    "tool": "for their tool",
    "capacity": "for their turn",
}
BAR = range(10, 31)
"""Widths of the progress bar: none where less is left, and not more."""
LAST_MIN = 14
CHAIN_SHOWN = 3


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the table. Where it is narrow, those of the highest `spare` go first; 0 stays.

    `least` is the width that it has even when it is empty, so that nothing jumps; without it an
    empty column is not shown.
    """

    title: str
    cell: Callable[[Row, float], str]
    most: int
    least: int = 0
    spare: int = 0
    right: bool = False


def state_of(row: Row) -> str:
    """Return the state of a row in one word."""
    if row.waiting and row.state != "pending":
        return "waiting"
    if row.state == "done" and row.merge in MERGE_WORDS:
        return MERGE_WORDS[row.merge]
    return STATE_WORDS.get(row.state, row.state)


def _step(row: Row, _now: float) -> str:
    return f"{row.step} {row.attempt}" if row.step and row.attempt else row.step


def _time(row: Row, now: float) -> str:
    end = row.ended if row.ended is not None else now
    return "-" if row.began is None else duration(end - row.began)


def _tokens(row: Row, _now: float) -> str:
    return "" if row.tokens is None else count(row.tokens)


def _cost(row: Row, _now: float) -> str:
    if row.cost_usd is None:
        return ""
    return "<$0.01" if 0 < row.cost_usd < 0.005 else f"${row.cost_usd:.2f}"


COLUMNS = (
    Column(title="workstream", cell=lambda row, _: row.ws_id, most=40, least=10),
    Column(title="state", cell=lambda row, _: state_of(row), most=11, least=8),
    Column(title="step", cell=_step, most=11, least=9, spare=1),
    Column(title="tool", cell=lambda row, _: one_line(row.tool), most=10, least=6, spare=2),
    Column(title="time", cell=_time, most=7, least=5, spare=1, right=True),
    Column(title="tokens", cell=_tokens, most=6, spare=4, right=True),
    Column(title="cost", cell=_cost, most=7, spare=3, right=True),
)


def frame(board: Board, now: float, width: int, height: int) -> list[Line]:
    """Return the lines of a screen of that size, none wider, and no more than fit."""
    lines = [*_head(board, now, width)]
    room = max(height - len(lines) - 1, 1)
    rows = list(board.rows.values())
    shown = rows if len(rows) <= room else by_urgency(rows)[: max(room - 1, 0)]
    lines += _table(shown, now, width)
    if len(shown) < len(rows):
        left = [row for row in rows if all(row is not one for one in shown)]
        lines.append(_cut(((f"... and {len(left)} more ({_states(left)})", "dim"),), width))
    return lines[: max(height, 1)]


def by_urgency(rows: Iterable[Row]) -> list[Row]:
    """Return those at work first, then what failed, what waits for something, the others."""

    def rank(row: Row) -> int:
        if row.working:
            return 0
        if row.lost:
            return 1
        return 2 if row.waiting else 3 if row.state == "pending" else 4

    return sorted(rows, key=rank)


def _states(rows: Iterable[Row]) -> str:
    found = Counter("waiting" if row.waiting else state_of(row) for row in rows)
    return ", ".join(f"{number} {state}" for state, number in found.most_common())


# -- the run ---------------------------------------------------------------------------------
def progress_words(board: Board) -> str:
    """Return `3 of 12 done, 4 at work, 5 waiting`; what there is none of is left out."""
    rows = list(board.rows.values())
    parts = [f"{board.done} of {len(rows)} done"]
    working = sum(row.working for row in rows)
    waiting = sum(not row.working and row.state not in DECIDED for row in rows)
    failed = Counter(row.state for row in rows if row.state in DECIDED and row.state != "done")
    unmerged = sum(row.merge in ("conflict", "rejected") for row in rows)
    parts += [f"{working} at work"] if working else []
    parts += [f"{waiting} waiting"] if waiting else []
    parts += [f"{number} {state}" for state, number in failed.items()]
    parts += [f"{unmerged} not merged"] if unmerged else []
    return ", ".join(parts)


DECIDED = frozenset({"done", "failed", "canceled", "quarantined"})


def left_words(now: RunNow | None) -> str:
    """Return `about 6 min left`, empty while nothing is known and when nothing is left."""
    left = None if now is None else now.snapshot.estimated_remaining_seconds
    return f"{about(left)} left" if left else ""


def _head(board: Board, now: float, width: int) -> list[Line]:
    """Return the lines about the run as a whole; before anything is known, its name."""
    words = progress_words(board)
    details = [text for text in (_clock(board.now, now), _spent(board.now)) if text]
    if cell_len(", ".join(details)) <= width:
        details = [", ".join(details)]
    about_it = (*details, _chain(board.now), _waits(board))
    return [_title(board, words, width), *(_cut(((t, ""),), width) for t in about_it if t)]


def _title(board: Board, words: str, width: int) -> Line:
    name = board.run_id or "starting"
    room = width - cell_len(name) - len(words) - 6
    if room < BAR.start or not board.rows:
        return _cut(((name, "bold"), (f"  {words}", "")), width)
    size = min(room, BAR.stop - 1)
    filled = size * board.done // len(board.rows)
    bar = (("[", ""), ("=" * filled, "green"), (" " * (size - filled), ""), ("]", ""))
    return _cut(((name, "bold"), ("  ", ""), *bar, (f"  {words}", "")), width)


def _clock(run: RunNow | None, now: float) -> str:
    if run is None:
        return ""
    snap = run.snapshot
    passed = snap.elapsed_seconds + max(0.0, now - run.seen_at)
    parts = [duration(passed)]
    if (left := left_words(run)) and snap.estimated_completion:
        parts.append(f"{left} (until {snap.estimated_completion[11:16]}Z)")
    return ", ".join(parts)


def _spent(run: RunNow | None) -> str:
    """Return tokens and cost against their caps."""
    if run is None:
        return ""
    usage = run.usage
    parts = []
    if usage.tokens is not None or run.max_tokens is not None:
        cap = "" if run.max_tokens is None else f" of {count(run.max_tokens)}"
        parts.append(f"{count(usage.tokens or 0)}{cap} tokens")
    if usage.cost_usd is not None or run.max_cost_usd is not None:
        cap = "" if run.max_cost_usd is None else f" of {dollars(run.max_cost_usd)}"
        unsure = f" and {usage.unpriced} unpriced" if usage.unpriced else ""
        parts.append(f"{dollars(usage.cost_usd or 0.0)}{cap}{unsure}")
    return ", ".join([*parts, *([today_words(run.today)] if run.today else [])])


def _chain(run: RunNow | None) -> str:
    """Return the critical path, where there is a chain at all."""
    if run is None or run.critical_path_s is None or len(run.critical_path) < 2:
        return ""
    names = " > ".join(run.critical_path[:CHAIN_SHOWN])
    more = len(run.critical_path) - CHAIN_SHOWN
    rest = f" > {more} more" if more > 0 else ""
    return f"critical path: {about(run.critical_path_s)}, {names}{rest}"


def _waits(board: Board) -> str:
    """Return what workstreams wait for, and how many for each."""
    found = Counter(row.waiting for row in board.rows.values() if row.waiting)
    words = [
        f"{number} {WAIT_WORDS.get(kind, f'for {one_line(kind)}')}"
        for kind, number in found.most_common()
    ]
    return f"waiting: {', '.join(words)}" if words else ""


# -- the workstreams -------------------------------------------------------------------------
def _table(rows: Sequence[Row], now: float, width: int) -> list[Line]:
    """Return the head of the table and its rows; the last column takes what is left."""
    gap = " " * (2 if width >= 100 else 1)
    table = [[column.cell(row, now) for column in COLUMNS] for row in rows]
    sizes = _widths(table, width, len(gap))
    used = sum(size + len(gap) for size in sizes.values())
    titles = [_fit(COLUMNS[i].title, sizes[i], COLUMNS[i]) + gap for i in sizes]
    lines: list[Line] = [tuple((title, "bold") for title in (*titles, "last"))]
    for row, cells in zip(rows, table, strict=True):
        style = STYLES.get(state_of(row), "cyan")
        spans = tuple(
            (_fit(cells[i], sizes[i], COLUMNS[i]) + gap, style if i == 1 else "") for i in sizes
        )
        lines.append((*spans, (_short(row.last, width - used), "")))
    return [_cut(line, width) for line in lines]


def _widths(table: Sequence[Sequence[str]], width: int, gap: int) -> dict[int, int]:
    """Return the width of each column that is shown; empty ones and spare ones are not."""
    sizes = {}
    for i, column in enumerate(COLUMNS):
        most = max((cell_len(cells[i]) for cells in table), default=0)
        limit = max(width // 5, column.least) if i == 0 else column.most
        if most or column.least:
            sizes[i] = min(max(most, len(column.title), column.least), limit)
    for i in sorted(sizes, key=lambda i: -COLUMNS[i].spare):
        if sum(sizes.values()) + gap * len(sizes) + LAST_MIN <= width or not COLUMNS[i].spare:
            break
        del sizes[i]
    return sizes


def _fit(text: str, size: int, column: Column) -> str:
    """Return text in exactly `size` cells."""
    short = _short(text, size)
    blanks = " " * (size - cell_len(short))
    return blanks + short if column.right else short + blanks


def _short(text: str, size: int) -> str:
    """Return text in at most `size` cells; what was cut ends in dots."""
    if cell_len(text) <= size:
        return text
    if size <= 3:
        return set_cell_size(text, max(size, 0)).rstrip()
    return set_cell_size(text, size - 2).rstrip() + ".."


def _cut(line: Line, width: int) -> Line:
    """Return a line that is not wider than the screen."""
    spans: list[Span] = []
    for text, style in line:
        if width <= 0:
            break
        spans.append((_short(text, width), style))
        width -= cell_len(spans[-1][0])
    return tuple(spans)

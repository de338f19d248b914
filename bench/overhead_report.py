"""The figures of `bench_overhead`: medians, ratios, who is ahead, and the table."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bench.overhead_meter import Sample

SHAPES = ("independent", "graph", "sequence")


class Level(enum.Enum):
    """What survives when the machine, not only the process, goes down at once."""

    DISK = "each commit is on the disk before it is acknowledged"
    SOON = "in the kernel at each commit, on the disk about a second later"
    NOTHING = "nothing is kept"


class Row:
    """One side at one durability: its samples by shape, or why there are none."""

    def __init__(self, side: str, level: Level, kept: str, missing: str = "") -> None:
        self.side = side
        self.level = level
        self.kept = kept
        self.missing = missing
        self.told = ""  # what its store says of how it keeps things
        self.samples: dict[str, list[Sample]] = {shape: [] for shape in SHAPES}

    @property
    def measured(self) -> bool:
        """Tell whether there is anything to compare."""
        return not self.missing and bool(self.samples[SHAPES[0]])

    def figures(self, shape: str) -> Figures:
        """The medians of a shape, in milliseconds per step."""
        samples = self.samples[shape]
        walls = [_ms(s.wall, s) for s in samples]
        return Figures(
            wall=statistics.median(walls),
            least=min(walls),
            most=max(walls),
            cpu=statistics.median(_ms(s.own + s.worker + s.server, s) for s in samples),
            own=statistics.median(_ms(s.own, s) for s in samples),
            worker=statistics.median(_ms(s.worker, s) for s in samples),
            server=statistics.median(_ms(s.server, s) for s in samples),
            disk=statistics.median(s.disk * 1000 for s in samples),
        )


class Figures(NamedTuple):
    """Medians over the rounds, in milliseconds per step; `least` and `most` are of the wall.

    `disk` is milliseconds per synced write just before.
    """

    wall: float
    least: float
    most: float
    cpu: float
    own: float
    worker: float
    server: float
    disk: float


class Ratio(NamedTuple):
    """A peer's medians divided by penstock's; above 1 penstock is ahead."""

    side: str
    shape: str
    wall: float
    cpu: float
    strict_cpu: float
    equal: bool


def _ms(seconds: float, sample: Sample) -> float:
    """Milliseconds per step of a sample."""
    return seconds / sample.steps * 1000


def own_row(rows: Sequence[Row], level: Level) -> Row:
    """Find penstock's row to compare with; what keeps nothing is held against the lighter one."""
    wanted = Level.SOON if level is Level.NOTHING else level
    return next(row for row in rows if row.side == "penstock" and row.level is wanted)


def ratio(row: Row, rows: Sequence[Row], shape: str) -> Ratio:
    """Compare a row with penstock at the same durability, and its CPU also with penstock FULL."""
    theirs = row.figures(shape)
    ours = own_row(rows, row.level).figures(shape)
    most = max(own_row(rows, level).figures(shape).cpu for level in (Level.DISK, Level.SOON))
    return Ratio(
        side=f"{row.side}, {row.kept}",
        shape=shape,
        wall=theirs.wall / ours.wall,
        cpu=theirs.cpu / ours.cpu,
        strict_cpu=theirs.cpu / most,
        equal=row.level is not Level.NOTHING,
    )


def ratios(rows: Sequence[Row]) -> list[Ratio]:
    """Compare every peer that was measured, in each shape."""
    peers = [row for row in rows if row.measured and row.side != "penstock"]
    return [ratio(row, rows, shape) for row in peers for shape in SHAPES]


def behind(rows: Sequence[Row]) -> list[str]:
    """Say where penstock is not ahead: on CPU of anybody, on wall of equals in durability."""
    found = []
    for one in ratios(rows):
        if one.cpu <= 1:
            found.append(f"CPU, {one.shape}: {one.side} ({one.cpu:.2f})")
        if one.equal and one.wall <= 1:
            found.append(f"wall, {one.shape}: {one.side} ({one.wall:.2f})")
    return found


def table(rows: Sequence[Row], counts: dict[str, int]) -> Iterator[str]:
    """Give the lines of the table."""
    for shape in SHAPES:
        yield ""
        yield f"{shape}, {counts[shape]} steps: ms per step"
        yield (
            f"{'':48} {'rounds':>6} {'wall':>7} {'min':>7} {'max':>7} {'CPU':>7} {'own':>7} {'worker':>7}"
            f" {'server':>7} {'disk':>7} {'wall x':>8} {'CPU x':>7}"
        )
        for row in rows:
            yield _line(row, rows, shape)


def _line(row: Row, rows: Sequence[Row], shape: str) -> str:
    """Give the line of one row in one shape."""
    name = f"{row.side}, {row.kept}"
    if not row.measured:
        return f"{name:48} {row.missing}"
    figures = row.figures(shape)
    cells = f"{len(row.samples[shape]):6} " + " ".join(f"{value:7.3f}" for value in figures)
    if row.side == "penstock":
        return f"{name:48} {cells}"
    compared = ratio(row, rows, shape)
    mark = "=" if compared.equal else " "
    return f"{name:48} {cells} {mark}{compared.wall:7.1f} {compared.cpu:7.1f}"


def verdict(rows: Sequence[Row]) -> Iterator[str]:
    """Say in words how penstock stands."""
    compared = ratios(rows)
    if not compared:
        yield "no peer was measured"
        return
    equal = [one for one in compared if one.equal]
    yield _nearest("CPU", "cpu", compared)
    yield _nearest("CPU, penstock's dearer durability against all", "strict_cpu", compared)
    if equal:
        yield _nearest("wall at equal durability", "wall", equal)
    yield from (f"BEHIND on {place}" for place in behind(rows))


def _nearest(what: str, figure: str, compared: Sequence[Ratio]) -> str:
    """Name the peer that comes nearest in one figure."""
    one = min(compared, key=lambda one: float(getattr(one, figure)))
    return f"{what}: the nearest is {one.side}, {one.shape}: {getattr(one, figure):.1f} times penstock's"


def as_values(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give the rows as JSON values: medians in milliseconds per step, and ratios."""
    found = []
    for row in rows:
        value: dict[str, Any] = {
            "side": row.side,
            "durability": row.kept,
            "level": row.level.name,
            "told": row.told,
        }
        if not row.measured:
            value["missing"] = row.missing
        else:
            value["shapes"] = {shape: _values(row, rows, shape) for shape in SHAPES}
        found.append(value)
    return found


def _values(row: Row, rows: Sequence[Row], shape: str) -> dict[str, Any]:
    """Give the figures of one row in one shape as JSON values."""
    value: dict[str, Any] = dict(row.figures(shape)._asdict())
    value["rounds"] = len(row.samples[shape])
    if row.side != "penstock":
        compared = ratio(row, rows, shape)
        value["ratio"] = {
            "wall": compared.wall,
            "cpu": compared.cpu,
            "cpu_to_dearest": compared.strict_cpu,
            "equal_durability": compared.equal,
        }
    return value

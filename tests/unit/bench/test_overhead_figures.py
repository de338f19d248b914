"""The figures of the overhead bench: its graph, its CPU clocks, its ratios and its verdict."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bench.overhead_meter import (
    Answer,
    Sample,
    Task,
    graph_of,
    heard,
    measure,
    tell,
    tree_cpu,
    waves_of,
)
from bench.overhead_report import (
    SHAPES,
    Level,
    Row,
    as_values,
    behind,
    ratios,
    table,
    verdict,
)

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ninput()"


def row(side: str, level: Level, wall: float, cpu: float) -> Row:
    """A row that took so many milliseconds per step, in each shape."""
    made = Row(side, level, level.name)
    for shape in SHAPES:
        made.samples[shape] = [Sample(10, wall / 100, cpu / 200, cpu / 400, cpu / 400)] * 3
    return made


def field(*peers: Row) -> list[Row]:
    """Penstock's two rows (2 ms and 1 ms of wall, half of that of CPU) and those of peers."""
    return [row("penstock", Level.DISK, 2, 1), row("penstock", Level.SOON, 1, 0.5), *peers]


def test_parents_come_in_earlier_waves() -> None:
    """Every node of the graph lies in one wave, and all its parents in earlier ones."""
    parents = graph_of(200)
    wave = {n: number for number, nodes in enumerate(waves_of(parents)) for n in nodes}
    assert sorted(wave) == list(range(200))
    assert all(wave[above] < wave[n] for n in wave for above in parents[n])


def test_the_graph_is_always_the_same() -> None:
    """All sides do the same graph, and it is neither a heap of single nodes nor a chain."""
    assert graph_of(200) == graph_of(200)
    assert 5 < len(waves_of(graph_of(200))) < 100


def test_the_cpu_of_other_processes() -> None:
    """What a process burnt is seen from outside, and counted with the one that started it."""
    argv = [sys.executable, "-c", BURN]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert 0.3 <= tree_cpu(child.pid) < 3
        child.communicate(b"\n")
    assert tree_cpu(0) == 0


def test_a_sample_counts_ended_children() -> None:
    """The CPU of children that ended within the measured time is the measured process's own."""
    run = [sys.executable, "-c", BURN]
    sample = measure(Task("", ""), 1, lambda: subprocess.run(run, input=b"\n", check=True))
    assert (sample.own >= 0.3, sample.worker, sample.server) == (True, 0, 0)


def test_answers_arrive_as_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What a side prints is read back as it was."""
    answers = [Answer("step", {"graph": Sample(2, 1.0, 0.5, 0.0, 0.25)}, 2, "on")]
    tell(answers)
    assert heard(capsys.readouterr().out) == answers


def test_medians_are_per_step() -> None:
    """The figures are medians of the rounds in milliseconds per step."""
    made = row("a", Level.DISK, 1, 1)
    made.samples["graph"] = [Sample(10, wall, wall / 2, 0, 0) for wall in (0.01, 0.02, 0.09)]
    figures = made.figures("graph")
    assert (figures.wall, figures.least, figures.most, figures.cpu) == (2, 1, 9, 1)


def test_equals_are_compared_with_equals() -> None:
    """A peer is held against penstock at its own durability."""
    rows = field(row("a", Level.DISK, 4, 4), row("b", Level.SOON, 4, 4))
    found = {one.side: one for one in ratios(rows)}
    assert [found["a, DISK"].wall, found["b, SOON"].wall] == [2, 4]
    assert [found["b, SOON"].cpu, found["b, SOON"].strict_cpu] == pytest.approx([8, 4])


def test_wall_counts_between_equals_only() -> None:
    """Who keeps nothing may be quicker, but whoever burns less CPU is ahead."""
    assert behind(field(row("a", Level.NOTHING, 0.5, 4))) == []
    assert behind(field(row("a", Level.NOTHING, 0.5, 0.1)))[0].startswith("CPU, independent: a")
    assert behind(field(row("a", Level.DISK, 1, 4)))[0] == "wall, independent: a, DISK (0.50)"


def test_the_verdict_names_the_nearest() -> None:
    """The verdict names who comes nearest on each count, and every place where penstock is behind."""
    lines = list(verdict(field(row("a", Level.DISK, 1, 4), row("b", Level.SOON, 9, 9))))
    assert lines[0] == "CPU: the nearest is a, DISK, independent: 4.0 times penstock's"
    assert sum(line.startswith("BEHIND on wall") for line in lines) == 3
    assert list(verdict(field())) == ["no peer was measured"]


def test_only_unequal_peers() -> None:
    """With nobody of equal durability there is no word on wall."""
    lines = list(verdict(field(row("a", Level.NOTHING, 4, 4))))
    assert [line.split(":")[0] for line in lines] == [
        "CPU",
        "CPU, penstock's dearer durability against all",
    ]


def test_the_table_says_what_is_missing() -> None:
    """A peer that was not measured has its reason in the table and in the values, and no ratio."""
    absent = Row("a", Level.DISK, "kept", "not installed: pip install a")
    rows = field(absent, row("b", Level.NOTHING, 4, 4))
    text = "\n".join(table(rows, dict.fromkeys(SHAPES, 10)))
    assert text.count("not installed: pip install a") == len(SHAPES)
    values = as_values(rows)
    assert values[2]["missing"] == absent.missing
    assert values[3]["shapes"]["graph"]["ratio"]["equal_durability"] is False

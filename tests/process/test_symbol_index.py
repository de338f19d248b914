"""The index of symbols under fire: killed, opened by two at once, with nowhere to be kept."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.planning.scoping.symbolfile import NAME, load
from penstock.planning.scoping.symbols import open_symbols
from penstock.planning.scoping.terrain import FolderTerrain
from penstock.process import proc
from tests.support.children import eventually

ROOT = Path(__file__).parents[2]
FILES = 60
KILLS = 8
SEED = 20261121


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of files that all define `total`."""
    place = tmp_path / "repo"
    place.mkdir()
    for number in range(FILES):
        (place / f"f{number:02}.py").write_text(f"def total(): return {number}\n" * 50)
        os.utime(place / f"f{number:02}.py", (1000, 1000))
    return place


def start(root: Path, state: Path, *rest: str) -> subprocess.Popen[str]:
    """Start a process that opens the index."""
    argv = [sys.executable, "-m", "tests.support.symbol_worker", str(root), str(state), *rest]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What a process printed until its end."""
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def whole(root: Path, state: Path) -> bool:
    """Whether an index that is opened now is right, and nothing was wrong with the kept one."""
    index = open_symbols(FolderTerrain(root), root=root, folder=state)
    return len(index.find("total")) == FILES * 50 and index.problems == ()


def test_two_at_once_do_not_disturb_each_other(root: Path, tmp_path: Path) -> None:
    """Processes that open and keep one index at the same time all find everything."""
    state = tmp_path / "state"
    crews = [start(root, state, "6") for _ in range(2)]
    for number in range(20):  # every look finds something new to keep
        os.utime(root / f"f{number:02}.py", (2000 + number, 2000))
        time.sleep(0.02)
    answers = [answer for process in crews for answer in told(process)]
    assert all(set(a["total"]) == {f"f{n:02}.py" for n in range(FILES)} for a in answers)
    assert [answer["problems"] for answer in answers] == [[]] * 12
    assert whole(root, state)


def test_a_kill_leaves_the_index_whole(root: Path, tmp_path: Path) -> None:
    """Killed at any moment, a process leaves the index of before or a new one, never a half."""
    state, chance = tmp_path / "state", random.Random(SEED)
    for round_ in range(KILLS):
        os.utime(root / "f00.py", (3000 + round_, 3000))
        with start(root, state, "1000") as process:
            assert process.stdout is not None
            if round_ % 2:
                process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.4))
            process.kill()
        kept = load(state) if state.exists() else None
        assert kept is None or len(kept.files) == FILES
        assert whole(root, state)


def test_a_kill_leaves_no_process_behind(root: Path, tmp_path: Path) -> None:
    """The processes that read files end when the one that started them is killed."""
    for path in root.iterdir():
        path.write_text("def total(): return [" + "1, " * 100_000 + "]\n")
    with start(root, tmp_path / "state") as process:
        assert eventually(lambda: bool(children(process.pid)))
        crew = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: not any(map(is_crew, crew)))


def children(pid: int) -> list[int]:
    """The processes that a process has started to read files."""
    entries = Path("/proc").glob("[0-9]*/status")
    return [int(e.parent.name) for e in entries if is_child(e, pid) and is_crew(int(e.parent.name))]


def is_child(status: Path, pid: int) -> bool:
    """Whether a process was started by another."""
    try:
        return f"PPid:\t{pid}\n" in status.read_text()
    except OSError:
        return False


def is_crew(pid: int) -> bool:
    """Whether a process reads files for the index."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    entry = proc.entry(pid)
    return b"penstock.planning.scoping.crew" in words and entry is not None and not entry.dead


def test_a_full_disk_is_told(root: Path, tmp_path: Path) -> None:
    """Where the index cannot be written it is told, and all symbols are found nevertheless."""
    state = tmp_path / "state"
    (answer,) = told(start(root, state, "1", "small"))
    assert set(answer["total"]) == {f"f{n:02}.py" for n in range(FILES)}
    assert [problem.split(":")[0] for problem in answer["problems"]] == [
        "the index of symbols cannot be kept"
    ]
    assert not (state / NAME).exists()
    assert list(state.iterdir()) == []


SEEDED = """
import sys
from tests.support.terrains import *
from penstock.planning.scoping.infer import infer
files = [f"src/{a}/{b}_item.py" for a in ("one", "two") for b in ("load", "store", "merge", "sort")]
lines = "\\n".join(f"the {n} loader merges stores in {path}" for n, path in enumerate(files * 9))
texts = ("Fix the loader of stores", "Fix src/one/loud_item.py", "merge_item.py", "Tidy src/")
plan = source(unit(*texts, passages=(passage(lines, "spec"),)), passages=(passage(lines),))
terrain = FakeTerrain(files, [files[n : n + 3] for n in (0, 1, 2, 3)] * 4)
print(infer(plan, terrain, threshold=0.5))
"""


def test_the_order_of_sets_decides_nothing() -> None:
    """Whatever order Python's sets have in a process, the same scopes come of the same plan."""
    outs = set()
    for seed in ("1", "2", "3"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        argv = [sys.executable, "-c", SEEDED]
        outs.add(subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, check=True).stdout)
    assert len(outs) == 1
    assert len(outs.pop()) > 1000

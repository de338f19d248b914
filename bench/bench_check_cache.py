"""What it costs to know that nothing has changed: look-ups in the cache of checks, digests, keys.

    python -m bench.bench_check_cache [--results N] [--runs N] [--folder DIR]

- look-ups: 10,000 keys in a cache of 200,000 results, half of them there, opening it included
- digests: the content of 258 files of 10 MB in all (made here; `--folder` names others)
- keys: of four plugins over these files, three of reach file and one of reach project
- again: the same keys once more, as after a run of a tool, from the files' status

Medians in milliseconds, of the wall and of the processor. Fails when a limit is missed.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from penstock.checks.api import Place
from penstock.checks.inspection.keys import Ledger, key_of
from penstock.checks.plugins.loading import PluginManager
from penstock.checks.plugins.port import Plugin, ToolFacts
from penstock.model.inspection import CacheEntry
from penstock.model.manifest import Reach
from penstock.store.checkcache import open_check_cache

LOOKUPS = 10_000
FILES = 258
BYTES = 10_000_000
PLUGINS = ("python_ruff", "codespell", "python_bandit", "python_mypy")
LIMITS_MS: Mapping[str, float] = {"look-ups": 250.0, "digests": 60.0, "keys": 30.0}
TOOL = ToolFacts(executable=Path(sys.executable), version="1.0", identity="1")
_BATCH = 5_000


def main() -> int:
    """Measure, print, and return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        cache = filled(folder / "checks.db", given.results)
        tree = (given.folder or made(folder / "tree")).resolve()
        rows = dict(measured(cache, given.results, tree, given.runs))
    return show(rows)


def key(number: int) -> bytes:
    """Return the key of a result."""
    return blake2b(b"%d" % number, digest_size=20).digest()


def filled(path: Path, results: int) -> Path:
    """Make a cache with so many results of a usual size."""
    with closing(open_check_cache(path)) as cache:
        for start in range(0, results, _BATCH):
            cache.save([entry(number) for number in range(start, min(start + _BATCH, results))])
    return path


def entry(number: int) -> CacheEntry:
    """Return a result: most files have no findings."""
    value = b"\x91\x90" if number % 5 else b"f" * 600
    path = f"src/package/module_{number % 5_000}.py"
    return CacheEntry(key=key(number), plugin_id="lint", path=path, parts=b"p" * 260, value=value)


def made(tree: Path) -> Path:
    """Make a tree of FILES files in 26 folders, BYTES bytes in all, sizes as uneven as in packages."""
    dice = random.Random(1)  # noqa: S311 - nothing secret
    shares = [dice.paretovariate(1.2) for _ in range(FILES)]
    line = b"    value = call(argument, other=argument)  # what most lines look like\n"
    for number, share in enumerate(shares):
        path = tree / f"package/part{number % 26}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"# %d\n" % number + line * round(BYTES * share / sum(shares) / len(line)))
    (tree / "pyproject.toml").write_text('[tool.ruff]\nextend-exclude = ["docs"]\n')
    return tree


def measured(
    cache: Path, results: int, tree: Path, runs: int
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield what each part takes."""
    wanted = [key(number * results // LOOKUPS) for number in range(LOOKUPS // 2)]
    wanted += [key(-number - 1) for number in range(LOOKUPS // 2)]
    yield "look-ups", timed(lambda: look_up(cache, wanted), runs)
    files = sorted(p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file())
    place = Place(tree=tree, root=tree)
    plugins = [p for p in PluginManager(None, "").load() if p.manifest.plugin_id in PLUGINS]

    def read() -> Ledger:
        ledger = Ledger(place, listing=files)
        for path in files:
            ledger.content(path)
        return ledger

    yield "digests", timed(read, runs)
    time.sleep(0.2)  # from here on the files' status is old enough to be trusted
    ledgers = iter([read() for _ in range(runs)])
    yield "keys", timed(lambda: make_keys(next(ledgers), plugins, files), runs)
    ledger = read()
    yield "again", timed(lambda: make_keys(ledger.again(), plugins, files), runs)


def look_up(cache: Path, keys: list[bytes]) -> None:
    """Open the cache, look the keys up, close it."""
    with closing(open_check_cache(cache)) as opened:
        if len(opened.lookup(keys)) != LOOKUPS // 2:
            raise SystemExit(f"results are missing: {opened.notes}")


def make_keys(ledger: Ledger, plugins: list[Plugin], files: list[str]) -> None:
    """Make the keys of all plugins over all files."""
    for plugin in plugins:
        if plugin.manifest.depends.reach is Reach.PROJECT:
            key_of(ledger.project_parts(plugin, TOOL, files))
        else:
            ledger.keys(plugin, TOOL, files)


def timed(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the medians of the wall and the processor time, in ms."""
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1000.0)
        cpus.append((time.process_time() - cpu) * 1000.0)
    return statistics.median(walls), statistics.median(cpus)


def show(rows: Mapping[str, tuple[float, float]]) -> int:
    """Print the table; return 1 when a limit is missed."""
    print(f"{'part':<12}{'wall ms':>9}{'cpu ms':>9}{'limit':>9}")
    for part, (wall, cpu) in rows.items():
        limit = f"{LIMITS_MS[part]:>9.0f}" if part in LIMITS_MS else ""
        print(f"{part:<12}{wall:>9.1f}{cpu:>9.1f}{limit}")
    return 1 if any(rows[part][0] > limit for part, limit in LIMITS_MS.items()) else 0


if __name__ == "__main__":
    sys.exit(main())

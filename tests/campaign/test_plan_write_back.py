"""Dirty plans of every dialect: all that is open is written back as done, and is read as done."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.planning.sources.api import ItemState, PlanSource, TracedItem
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import locate
from penstock.planning.writeback.api import Batch, Report, Standing, Written
from penstock.planning.writeback.writing import write_back
from tests.support import plan_corpus
from tests.support.plan_corpus import Case
from tests.support.plandesks import MOMENT, Files
from tests.support.repos import write

SEEDS = range(25)
MAKERS: tuple[Callable[[int], Case], ...] = (
    plan_corpus.checklist,
    plan_corpus.openspec,
    plan_corpus.spec_kit,
    plan_corpus.task_master,
    plan_corpus.ccpm,
)
every_plan = pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: str(maker.__name__))


def read(root: Path, word: str) -> PlanSource:
    """Read the plan that a word means."""
    (located,) = locate([word], root, root, stdin=bytes)
    return read_source(located, root)


def files(root: Path) -> Files:
    """All files below a folder."""
    found = (path for path in root.rglob("*") if path.is_file())
    return Files({path.relative_to(root).as_posix(): path.read_bytes() for path in found})


def report(source: PlanSource, keys: set[str]) -> tuple[Report, ...]:
    """Say that items are done."""
    return tuple(
        Report(
            item=TracedItem(
                key=i.key, label=i.label, text=i.text, place=i.place, raw_state=i.raw_state
            ),
            standing=Standing.DONE,
            moment=MOMENT,
        )
        for i in source.items
        if i.key in keys
    )


def written(source: PlanSource, desk: Files, keys: set[str]) -> Written:
    """Write items of a plan back as done; what is as it was read counts as unchanged."""
    same = {
        name
        for name, sha in source.files.items()
        if name in desk.held and hashlib.sha256(desk.held[name]).hexdigest() == sha
    }
    tag = source.metadata.get("tag")
    batch = Batch(
        dialect=source.dialect,
        id=source.id,
        path=source.path,
        tag=tag if isinstance(tag, str) else None,
        reports=report(source, keys),
        unchanged=frozenset(same),
    )
    return write_back(batch, desk)


def keys_in(source: PlanSource, state: ItemState) -> set[str]:
    """The keys of the items in a state."""
    return {item.key for item in source.items if item.state is state}


@every_plan
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_is_read_as_done(
    maker: Callable[[int], Case], seed: int, tmp_path: Path
) -> None:
    """All open items, then none is left open but those without a mark; none is lost."""
    case = maker(seed)
    write(tmp_path, case.files)
    source = read(tmp_path, case.word)
    opened = keys_in(source, ItemState.OPEN)
    made = written(source, files(tmp_path), opened)
    write(tmp_path, made.files)
    after = read(tmp_path, case.word)
    assert made.lost == ()
    assert [item.key for item in after.items] == [item.key for item in source.items]
    assert keys_in(after, ItemState.OPEN) == {item.key for item in made.unmarked}
    assert keys_in(after, ItemState.SKIPPED) == keys_in(source, ItemState.SKIPPED)


@every_plan
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_not_done_stays_open(
    maker: Callable[[int], Case], seed: int, tmp_path: Path
) -> None:
    """Half of the open items, one after the other, in a plan that changes with each of them."""
    case = maker(seed)
    write(tmp_path, case.files)
    source = read(tmp_path, case.word)
    opened = keys_in(source, ItemState.OPEN)
    chosen = set(random.Random(seed).sample(sorted(opened), len(opened) // 2))
    kept: set[str] = set()
    for key in sorted(chosen):
        made = written(source, files(tmp_path), {key})
        kept |= {item.key for item in made.unmarked} | {lost.item.key for lost in made.lost}
        write(tmp_path, made.files)
    after = read(tmp_path, case.word)
    assert keys_in(after, ItemState.OPEN) >= opened - chosen
    assert keys_in(after, ItemState.OPEN) <= (opened - chosen) | kept | parents(source, chosen)


def parents(source: PlanSource, keys: set[str]) -> set[str]:
    """The items of which one alone cannot be told done: streams of a CCPM task."""
    return {key for key in keys if key.rpartition("-")[0]} if source.dialect == "ccpm" else set()

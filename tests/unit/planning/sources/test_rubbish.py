"""Rubbish in the files of a plan: it is read or refused, and no item is doubled or nameless."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import PlanSource
from penstock.planning.sources.checklist import read_checklist
from penstock.planning.sources.text import from_bytes
from tests.support.openspec_changes import proposal, tasks, write_changes
from tests.support.plan_texts import read_one

BITS = (
    b"```", b"\r", b"\n", b"#", b"- [ ] ", b"[", b"]", b"\xff", b"\xe2\x80\xa8", b"\t", b"---\n", b"<!--", b"-->",
    b": ", b"&a *a", b"!!python/object:os.system", b"\x1b[2J", b"{", b"\xc2\x85", b"\xc2\xb2", b"9" * 40, b"\0",
    b"- FROM: ### Requirement: ", b"\xed\xa0\x80", b"\xf0\x9f\x9a\xa7",
)  # fmt: skip


def spoilt(chance: Random, raw: bytes) -> bytes:
    """Bytes after some were put in, cut out, doubled and changed."""
    made = bytearray(raw)
    for _ in range(chance.randint(1, 12)):
        at, other = chance.randrange(len(made) + 1), chance.randrange(len(made) + 1)
        put = chance.choice((chance.choice(BITS), bytes(made[other : other + 60]), b""))
        made[at : at + (0 if put else chance.randint(1, 9))] = put
    return bytes(made)


def is_whole(source: PlanSource) -> bool:
    """Whether each item and unit has a key of its own, and each text is one line."""
    items, units = source.items, source.units
    return (
        len({item.key for item in items}) == len(items)
        and len({unit.key for unit in units}) == len(units)
        and all(item.key and "\n" not in item.text for item in items)
    )


@pytest.mark.parametrize("seed", range(4))
def test_rubbish_in_changes_does_no_harm(tmp_path: Path, seed: int) -> None:
    """Any file of a change may be spoilt; what cannot be read is told."""
    chance = Random(seed)
    ids = write_changes(tmp_path, seed, 40)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file() and chance.random() < 0.6:
            path.write_bytes(spoilt(chance, path.read_bytes()))
    assert all(is_whole(read_one(tmp_path, name)) for name in ids)


@pytest.mark.parametrize("seed", range(4))
def test_rubbish_in_checklists_does_no_harm(seed: int) -> None:
    """A spoilt checklist is read, or refused for bytes that are no text."""
    chance = Random(seed)
    for _ in range(100):
        raw = spoilt(chance, (proposal(chance) + tasks(chance)).encode())
        try:
            assert is_whole(read_checklist(from_bytes(raw, "plan.md")))
        except UnreadableError:
            assert b"\0" in raw or raw.startswith((b"\xff\xfe", b"\xfe\xff"))

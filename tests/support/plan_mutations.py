"""Plans that something has gone wrong with: bytes lost, doubled, swapped, or of another kind."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.plan_corpus import Case

ODD = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\x1b[31m", b"\r", b"\n\n\n", b"\t" * 9, b"```",
    b"<!--", b"---\n", b"- [ ] ", b"- [x", b"[[[[", b"]]]]", b"{{{{", b'"', b"\\", b"\\ud800", b"999999999999",
    b"1e999", b"null", b"[]", b"{}", b": ", b"&a *a", b"!!python/object:x", b"\xe2\x80\xa8", b"\xe2\x80\xae",
    "\N{BELL}".encode(), b"#" * 40, b"../" * 9, b"x" * 5000, b"| " * 50, b"> " * 50, b"depends on T001 ",
)  # fmt: skip


def _flip(rng: random.Random, data: bytearray) -> None:
    data[rng.randrange(len(data))] = rng.randrange(256)


def _insert(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice(ODD)


def _delete(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randrange(1, 40)]


def _double(rng: random.Random, data: bytearray) -> None:
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    data[:] = b"".join([*lines[: at + 1], *lines[at : at + rng.randrange(1, 4)], *lines[at + 1 :]])


def _swap(rng: random.Random, data: bytearray) -> None:
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    data[:] = b"".join(lines)


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def _indent(rng: random.Random, data: bytearray) -> None:
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    lines[at][:0] = rng.choice((b" ", b"\t", b"  ", b"> ", b"\xe3\x80\x80"))
    data[:] = b"".join(lines)


MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip, _insert, _insert, _delete, _double, _swap, _cut, _indent, _indent,
)  # fmt: skip


def mutated(case: Case, seed: int) -> dict[str, bytes]:
    """Return the files of a plan with some of their bytes changed, the same for the same seed."""
    rng = random.Random(f"{case.dialect}/{case.seed}/{seed}")
    files = dict(case.files)
    for _ in range(rng.randrange(1, 5)):
        name = rng.choice(sorted(files))
        data = bytearray(files[name])
        if data:
            rng.choice(MUTATIONS)(rng, data)
        files[name] = bytes(data)
    return files

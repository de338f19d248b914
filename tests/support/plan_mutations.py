"""Plans that something has gone wrong with: bytes lost, doubled, swapped, or of another kind."""

from __future__ import annotations

import codecs
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

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


VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", " ", "done", "1", "5.2", "x" * 3000, "\ud800", "\x00", "a\nb",
    "../x", [], [None], [[]], {}, {"id": 1}, {"path": None}, [{"id": 1, "title": "t"}] * 3, "日本",
)  # fmt: skip


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def rewritten(rng: random.Random, data: bytes) -> bytes:
    """Return a JSON document in which one value is another, gone, or under another key."""
    try:
        document = json.loads(data.removeprefix(codecs.BOM_UTF8))
    except ValueError:
        return data  # it is damaged already
    box, key = rng.choice(list(_places([document])))
    change = rng.randrange(3)
    if change == 0 and isinstance(box, dict):
        box[rng.choice(("id", "status", "subtasks", "title", "", "odd"))] = box.pop(key)
    elif change == 1:
        del box[key]
    else:
        box[key] = rng.choice(VALUES)
    return json.dumps(document, indent=1).encode()


def mutated(case: Case, seed: int) -> dict[str, bytes]:
    """Return the files of a plan with some of their bytes changed, the same for the same seed."""
    rng = random.Random(f"{case.dialect}/{case.seed}/{seed}")
    files = dict(case.files)
    for _ in range(rng.randrange(1, 5)):
        name = rng.choice(sorted(files))
        if name.endswith("tasks.json") and rng.random() < 0.85:
            files[name] = rewritten(rng, files[name])
            continue
        data = bytearray(files[name])
        if data:
            rng.choice(MUTATIONS)(rng, data)
        files[name] = bytes(data)
    return files

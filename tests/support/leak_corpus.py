"""A corpus for the secret scan: secrets drawn afresh, planted into texts of real packages."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.leaks.match import Leak
from tests.support.leak_kinds import SHAPED, SHAPELESS, Kind

EACH = 10
SHAPED_KINDS, SHAPELESS_KINDS = 16, 4

ASSIGNMENTS = (
    "{name}={value}",
    'export {name}="{value}"',
    "export {name}={value}",
    '{name} = "{value}"',
    "{name} = '{value}'",
    '    "{name}": "{value}",',
    "  {name}: {value}",
    '  {name}: "{value}"',
    "{name} = {value}",
    "const {name} = '{value}';",
    "app.{name}={value}",
    "<{name}>{value}</{name}>",
    'client = Client("prod", {name}="{value}", retries=3)',
    "settings = {{'{name}': '{value}', 'debug': False}}",
    "ENV {name} {value}",
    "# {name}: {value}",
    '{name} := "{value}"',
    '#define {name} "{value}"',
    'os.environ["{name}"] = "{value}"',
    '{{\\"{name}\\": \\"{value}\\", \\"n\\": 1}}',
    "2026-03-01 10:22:07 INFO started with {name}={value} in 3 ms",
    "https://api.service.net/v1/items?page=2&{name}={value}",
)
BARE = (
    "the bot uses {value} for now",
    'curl -H "Authorization: Bearer {value}" https://api.service.net/v1',
    '  - "{value}"',
    "login(`{value}`)",
)
LINES = ("{value}", 'KEY = """{value}"""', '"private_key": "{escaped}",')


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret in its place: the file below the root, the line of its beginning, the value."""

    path: str
    line: int
    kind: Kind
    value: str
    statement: str


def texts(root: Path) -> list[Path]:
    """The files below a folder that are texts of more than a few lines, in order."""
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.stat().st_size > 200 and b"\0" not in path.read_bytes()[:8192]
    ]


def statement(kind: Kind, rng: random.Random) -> tuple[str, str]:
    """A secret of a kind, and a line (or lines) of code, settings or text that hold it."""
    value, name = kind.draw(rng), rng.choice(kind.names)
    if kind.lines:
        escaped = value.replace("\n", "\\n")
        return value, rng.choice(LINES).format(value=value, escaped=escaped)
    forms = (*ASSIGNMENTS, *BARE) if kind.shaped else ASSIGNMENTS
    return value, rng.choice(forms).format(name=name, value=value)


def kinds_of(rng: random.Random) -> Iterable[Kind]:
    """Twenty kinds, most of them with a provider's shape."""
    return (*rng.sample(SHAPED, SHAPED_KINDS), *rng.sample(SHAPELESS, SHAPELESS_KINDS))


def plant(root: Path, seed: int, target: Path) -> list[Planted]:
    """Plant twenty kinds, ten of each, as lines of copies of files below a folder, one in each."""
    rng = random.Random(seed)
    wanted = [kind for kind in kinds_of(rng) for _ in range(EACH)]
    chosen = rng.sample(texts(root), len(wanted))
    return [
        _plant_one(path, target, path.relative_to(root).as_posix(), kind, rng)
        for path, kind in zip(chosen, wanted, strict=True)
    ]


def _plant_one(source: Path, target: Path, path: str, kind: Kind, rng: random.Random) -> Planted:
    lines = source.read_bytes().split(b"\n")
    at = rng.randrange(len(lines))
    value, line = statement(kind, rng)
    lines.insert(at, line.encode())
    copy = target / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"\n".join(lines))
    return Planted(path, at + 1, kind, value, line)


def found_in(planted: Planted, leaks: Iterable[Leak]) -> bool:
    """Whether one of the findings in the lines of a planted secret is that secret, or most of it."""
    last = planted.line + planted.statement.count("\n")
    statement = planted.statement.encode()
    return any(
        planted.line <= leak.line <= last and leak.value in statement and len(leak.value) >= 8
        for leak in leaks
    )

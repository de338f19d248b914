"""Makes the files of the generated repository from the templates beside this module."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.support.meridian.domains import DOMAINS, Domain

HERE = Path(__file__).parent
_SECTION = re.compile(r"^=== (\S+)(?: #(\w))?\n", re.MULTILINE)
_IMPORTS = re.compile(r"(?:^from meridian\b.*\n)+", re.MULTILINE)
_HOLE = re.compile(r"<<(\w+)>>")

PYPROJECT = """\
[project]
name = "meridian"
version = "1.4.0"
description = "Small tools for small businesses"
requires-python = ">=3.11"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
addopts = "--import-mode=importlib -p no:cacheprovider"

[tool.ruff]
line-length = 140
target-version = "py311"

[tool.ruff.lint]
select = ["E", "F", "I", "UP", "B"]
"""
GITIGNORE = "__pycache__/\n*.egg-info/\n.venv/\n.coverage\n"


def files(seed: int) -> dict[str, str]:
    """Return all files of the repository by path; the same for the same seed."""
    rng = random.Random(seed)
    found = {path: text for path, _, text in _sections("core_a.txt", "core_b.txt")}
    found["src/meridian/core/__init__.py"] = '"""What every package needs."""\n'
    for domain in DOMAINS:
        found |= _package(domain, rng)
    found |= {
        "README.md": _readme(),
        "pyproject.toml": PYPROJECT,
        ".gitignore": GITIGNORE,
        "src/meridian/__init__.py": '"""Small tools for small businesses."""\n\n__version__ = "1.4.0"\n',
        "CHANGES.md": "# Changes\n\n## 1.4.0\n\n- Batches and histories for every package.\n",
    }
    return found


def _package(domain: Domain, rng: random.Random) -> dict[str, str]:
    """Return the modules and tests of one domain; where there are variants, the seed chooses."""
    values, chosen = _values(domain, rng), dict[str, str]()
    found = {f"src/meridian/{domain.name}/__init__.py": f'"""{domain.plural.title()}."""\n'}
    for path, variant, text in _sections("domain.txt"):
        kind = path.rsplit("/", 1)[1].removeprefix("test_")
        if variant and chosen.setdefault(kind, rng.choice("ab")) != variant:
            continue
        found[_filled(path, values)] = _filled(text, values)
    return found


def _sections(*names: str) -> Iterator[tuple[str, str, str]]:
    """Yield (path, variant, text) of each part of template files."""
    for name in names:
        parts = _SECTION.split((HERE / name).read_text(encoding="utf-8"))[1:]
        for at in range(0, len(parts), 3):
            yield parts[at], parts[at + 1] or "", parts[at + 2]


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill the holes, and sort the imports, whose order depends on what was filled in."""
    filled = _HOLE.sub(lambda hole: values[hole[1]], text)
    return _IMPORTS.sub(lambda block: "".join(_in_order(block[0].splitlines())), filled)


def _in_order(lines: Iterable[str]) -> list[str]:
    """Sort imports by module, and what they import: constants, classes, functions."""
    made = []
    for line in sorted(lines):
        head, _, names = line.partition(" import ")
        kinds = sorted((not n.isupper(), not n[0].isupper(), n) for n in names.split(", "))
        made.append(f"{head} import {', '.join(name for *_, name in kinds)}\n")
    return made


def _values(domain: Domain, rng: random.Random) -> dict[str, str]:
    """Return what the holes of the templates hold for a domain."""
    figure = rng.choice(["median", "variance"])
    due = ["day + timedelta(days=DAYS)", "add_workdays(day, DAYS)"]
    missing = sorted([domain.text_field, domain.category_field, domain.amount_field])
    states = {f"s{at}": state for at, state in enumerate(domain.states)}
    units = {f"u{at}": unit for at, (unit, _) in enumerate(domain.units)}
    kinds = {f"c{at}": kind for at, kind in enumerate(domain.categories)}
    return {
        **states,
        **units,
        **kinds,
        "C0": domain.categories[0].upper(),
        "name": domain.name,
        "entity": domain.entity,
        "a_entity": ("an " if domain.entity[0] in "AEIOU" else "a ") + domain.entity.lower(),
        "entity_l": domain.entity.lower(),
        "plural": domain.plural,
        "plurals": domain.plural,
        "Plural": domain.plural.capitalize(),
        "text": domain.text_field,
        "category": domain.category_field,
        "CATEGORIES": f"{domain.category_field.upper()}_VALUES",
        "categories": _literal(domain.categories),
        "amount": domain.amount_field,
        "count": domain.count_field,
        "separator": _literal(domain.separator),
        "prefix": domain.prefix,
        "tiers": _literal(domain.tiers),
        "units": _literal(dict(domain.units)),
        "days": str(domain.days),
        "modulus": str(domain.modulus),
        "missing": ", ".join(missing),
        "figure": figure,
        "figure_value": {"median": "200", "variance": "140000 / 3"}[figure],
        "due": rng.choice(due),
        "verb": rng.choice(["moved", "advanced", "changed"]),
        "least": str(rng.randint(60, 75)),
        "factor": str(rng.choice([3, 5, 7])),
        **{name: str(rng.randint(low, high)) for name, low, high in _NUMBERS},
    }


_NUMBERS = (
    ("n1", 100, 900), ("n2", 1_000, 9_000), ("top", 3, 9), ("width", 4, 6), ("size", 20, 200),
    ("most", 40, 400),
)  # fmt: skip


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _readme() -> str:
    lines = [f"- `meridian.{domain.name}`: {domain.plural}" for domain in DOMAINS]
    return (
        "# meridian\n\nSmall tools for small businesses.\n\n"
        + "\n".join(lines)
        + (
            "\n- `meridian.core`: what every package needs\n\n"
            "## Tests\n\n```\npython -m pytest -q\nruff check .\n```\n"
        )
    )

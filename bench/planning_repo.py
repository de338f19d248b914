"""A repository to plan over, drawn from a seed: files of ten languages, each with its own symbols."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

VERBS: Final = [
    "load",
    "store",
    "merge",
    "split",
    "parse",
    "render",
    "check",
    "count",
    "route",
    "rank",
    "fetch",
    "seal",
    "open",
    "fold",
]
NOUNS: Final = [
    "order",
    "basket",
    "ledger",
    "customer",
    "invoice",
    "stock",
    "parcel",
    "route",
    "ticket",
    "report",
    "audit",
    "price",
]
LINES: Final = 12


def symbol(number: int, part: int) -> str:
    """Return a name that only one file defines."""
    verb, noun = VERBS[(number + part) % len(VERBS)], NOUNS[number * 7 % len(NOUNS)]
    return f"{verb}_{noun}_{number}_{part}"


def camel(name: str) -> str:
    """Return a name in CamelCase."""
    return "".join(word.capitalize() for word in name.split("_"))


def _python(number: int, filler: str) -> str:
    functions = "".join(
        f"    def {symbol(number, part)}(self, amount: int) -> int:\n"
        f'        """{filler}"""\n'
        f"        total = amount * {part}\n"
        "        for each in range(amount):\n"
        "            total += each if each % 2 else self.base\n"
        "        return total\n\n"
        for part in range(LINES)
    )
    return f"class {camel(symbol(number, 99))}:\n    base = {number}\n\n{functions}"


def _script(number: int, filler: str) -> str:
    functions = "".join(
        f"  /* {filler} */\n"
        f"  {camel(symbol(number, part))}(amount: number): number {{\n"
        f"    let total = amount * {part};\n"
        "    for (let each = 0; each < amount; each++) { total += each % 2 ? each : this.base; }\n"
        "    return total;\n  }\n"
        for part in range(LINES)
    )
    name = camel(symbol(number, 99))
    return f"export class {name} {{\n  base = {number};\n{functions}}}\n"


def _go(number: int, filler: str) -> str:
    functions = "".join(
        f"// {filler}\n"
        f"func {camel(symbol(number, part))}(amount int) int {{\n"
        f"\ttotal := amount * {part}\n"
        "\tfor each := 0; each < amount; each++ {\n\t\ttotal += each\n\t}\n\treturn total\n}\n\n"
        for part in range(LINES)
    )
    return f"package p{number}\n\n{functions}"


def _java(number: int, filler: str) -> str:
    functions = "".join(
        f"  // {filler}\n"
        f"  int {camel(symbol(number, part))}(int amount) {{\n"
        f"    int total = amount * {part};\n"
        "    for (int each = 0; each < amount; each++) { total += each; }\n    return total;\n  }\n"
        for part in range(LINES)
    )
    return f"class {camel(symbol(number, 99))} {{\n{functions}}}\n"


def _ruby(number: int, filler: str) -> str:
    functions = "".join(
        f"  # {filler}\n  def {symbol(number, part)}(amount)\n"
        f"    total = amount * {part}\n    amount.times {{ |each| total += each }}\n    total\n  end\n\n"
        for part in range(LINES)
    )
    return f"class {camel(symbol(number, 99))}\n{functions}end\n"


KINDS: Final[tuple[tuple[str, Callable[[int, str], str]], ...]] = (
    ("py", _python), ("py", _python), ("py", _python), ("ts", _script), ("ts", _script),
    ("tsx", _script), ("go", _go), ("java", _java), ("rb", _ruby), ("md", lambda _, filler: filler),
)  # fmt: skip


def path_of(number: int) -> str:
    """Return where a file lies."""
    package, noun = number // 40, NOUNS[number % len(NOUNS)]
    return f"src/area{package % 25}/part{package}/{noun}_{number}.{KINDS[number % len(KINDS)][0]}"


def make_repo(root: Path, files: int, seed: int = 7) -> int:
    """Write a repository of so many files and return its bytes."""
    chance = random.Random(seed)  # noqa: S311
    size = 0
    for number in range(files):
        filler = " ".join(chance.choices(VERBS + NOUNS, k=10))
        text = KINDS[number % len(KINDS)][1](number, filler)
        path = root / path_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        size += len(text)
    return size

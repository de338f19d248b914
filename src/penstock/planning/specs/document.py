"""The document of the mapping: its rules, then a row for each tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from penstock.planning.specs.api import MappedTag
from penstock.planning.specs.index import MAP_HEADING
from penstock.planning.specs.rules import Rules

COLUMNS: Final = (
    "IDX", "Description", "Source File", "Line", "Module", "Function/Class", "Phase", "Version",
)  # fmt: skip
LONGEST: Final = 50
_PHASES: Final = (
    ("PH-01", "spec mapping, index, module stubs"),
    ("PH-02", "database, state machine, schema"),
    ("PH-03", "prompts, tool adapters, profiles"),
    ("PH-04", "orchestration, scheduling, execution"),
    ("PH-05", "circuit breakers, recovery"),
    ("PH-06", "bundles, worktrees"),
)
_EMPTY: Final = """\
No tags were found.

Put a tag next to what it names, in any `.md` or `.txt` file below the folder of documents: in square
brackets, `IDX-`, a category, a subcategory if you like, and a number. For example, in brackets:

- `IDX-DB-SCHEMA-01` and after it `create the tables`
- `IDX-TOOL-AIDER-CONFIG-05` and after it `settings of aider`
- `IDX-PROMPT-TEMPLATE-60` and after it `fill in a template`

Then run `penstock spec map` again.
"""


def render(tags: Sequence[MappedTag], rules: Rules) -> str:
    """Return the document, the same for the same tags and rules."""
    parts = [
        MAP_HEADING,
        "Made by `penstock spec map` (`python scripts/generate_spec_mapping.py`); edits are overwritten.",
        "## Rules",
        *_rules(rules),
        "## Tags",
        _table(tags) if tags else _EMPTY.rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


def _rules(rules: Rules) -> Iterator[str]:
    yield "Module and phase, by the category (the first word after `IDX-`):"
    rows = [(f"IDX-{key}-*", t.module, t.phase) for key, t in rules.categories.items()]
    rows.append(("others", rules.other.module, rules.other.phase))
    yield _grid(("Tag", "Module", "Phase"), [(_code(a), _code(b), c) for a, b, c in rows])
    yield (
        "Function: the verb in the description (create, update, delete, get, validate, init, run) and the "
        "subcategory, else the category."
    )
    yield "Version, by the number: up to 50 v1.0 (core), 51 to 99 v2.0 (enhanced), from 100 v3.0."
    used = {target.phase for target in (*rules.categories.values(), rules.other)}
    yield (
        "\n".join(f"- {phase}: {what}" for phase, what in _PHASES if phase in used) or "No phases."
    )


def _table(tags: Sequence[MappedTag]) -> str:
    rows = [
        (
            tag.row.idx,
            shortened(tag.row.description),
            tag.row.file,
            str(tag.row.line),
            tag.module,
            tag.function,
            tag.phase,
            tag.version,
        )
        for tag in tags
    ]
    return f"{len(tags)} in all.\n\n{_grid(COLUMNS, rows)}"


def shortened(text: str) -> str:
    """Return a description as the table shows it: 50 characters, and dots for the rest."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Return text that stays in its cell and holds no tag."""
    kept = " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
    return kept.replace("[IDX-", "&#91;IDX-").replace("<!--", "&lt;!--")


def _code(text: str) -> str:
    return f"`{text}`" if "`" not in text else text

"""From a tag to the code that it is about: module, function, phase and version."""

from __future__ import annotations

import re
from typing import Final

from penstock.planning.specs.api import TBD, IndexRow, MappedTag
from penstock.planning.specs.rules import Rules

SHAPE: Final = re.compile(r"IDX-([A-Z]+)(?:-([A-Z0-9\-]+))?-(\d+)")
_VERBS: Final = {
    "create": r"creat(?:e[sd]?|ing)",
    "update": r"updat(?:e[sd]?|ing)",
    "delete": r"delet(?:e[sd]?|ing)",
    "get": r"get(?:s|ting)?",
    "validate": r"validat(?:e[sd]?|ing)",
    "init": r"init(?:s|iali[sz](?:e[sd]?|ing))?",
    "run": r"run(?:s|ning)?",
}
_VERB: Final = re.compile(
    "|".join(rf"(?P<{verb}>\b{forms}\b)" for verb, forms in _VERBS.items()), re.IGNORECASE
)
_CORE: Final = 50
_ENHANCED: Final = 99


def map_tag(row: IndexRow, rules: Rules) -> MappedTag:
    """Return what a tag maps to by the rules."""
    shape = SHAPE.fullmatch(row.idx)
    if shape is None:
        return MappedTag(row=row, module=TBD, function=TBD, phase=TBD, version="v1.0", known=False)
    category, subcategory, number = shape[1], shape[2] or "", shape[3]
    target = rules.target(category, subcategory)
    return MappedTag(
        row=row,
        module=target.module,
        function=function_name(row.description, category, subcategory),
        phase=target.phase,
        version=version(int(number)),
    )


def version(number: int) -> str:
    """Return the version that a number belongs to: core, enhanced, advanced."""
    if number <= _CORE:
        return "v1.0"
    return "v2.0" if number <= _ENHANCED else "v3.0"


def function_name(description: str, category: str, subcategory: str) -> str:
    """Return a name: the first verb of the description and the subcategory, else the category."""
    words = [word.lower() for word in subcategory.split("-") if word]
    if not words:
        return category.lower()
    verb = _VERB.search(description)
    return "_".join([*([verb.lastgroup] if verb and verb.lastgroup else []), *words])

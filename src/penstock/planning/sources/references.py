"""Dependencies that are stated in the text of a task: "(depends on T012, T013)"."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = r"(?:#[0-9]+|T[0-9]{2,}[a-z]?|[0-9]+(?:\.[0-9]+)+[A-Za-z]?|[A-Z][A-Z0-9]*-[0-9]+)"
_STATED: Final = re.compile(
    r"(?:\b(?:depends?|dependent|depending)\s+(?:up)?on|\bblocked\s+by|依赖于?|依存)"
    rf"\s*[::]?\s*(?:tasks?\s+)?({_LABEL}(?:(?:\s*(?:,|、|&|\band\b)\s*)+{_LABEL})*)",
    re.IGNORECASE,
)
_EACH: Final = re.compile(_LABEL, re.IGNORECASE)


def stated_dependencies(text: str) -> tuple[str, ...]:
    """Return the ids of tasks that a text says it depends on, in order, each once."""
    found = (label for stated in _STATED.finditer(text) for label in _EACH.findall(stated[1]))
    return tuple(dict.fromkeys(found))

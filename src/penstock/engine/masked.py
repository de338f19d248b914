"""Values of plain JSON without the secrets in their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a value of plain JSON with every text masked, keys too."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): masked(item, mask) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, mask) for item in value]
    return value

"""Changing settings in a file that people wrote: comments, order and layout stay as they are.

Every edit is read back and compared with what it should mean before it is returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.config.documents import ConfigFileError, Document, parse_document
from penstock.config.problems import Key, key_name


def edit_text(text: str, shown: str, changes: Mapping[Key, Any]) -> str:
    """Return the text of a .json, .yaml or .yml file with the settings at these key paths.

    What is there already is replaced, what is not is added, mappings above it included; an empty
    text is an empty mapping. Raises ConfigFileError when the file is wrong, or cannot hold a setting
    because a part of its path is no mapping.
    """
    document = parse_document(text, shown) if text.strip() else Document(shown, None)
    is_json = shown.endswith(".json")
    wanted = document.value
    for path, value in changes.items():
        wanted = _with(wanted, path, value, shown)
        text = _changed(text, path, value, is_json=is_json)
    if not _means(text, shown, wanted):
        names = ", ".join(key_name(path) for path in changes)
        raise ConfigFileError(
            shown, [f"cannot be changed without breaking it: {names}"], hint="Change it by hand."
        )
    return text


def _means(text: str, shown: str, wanted: Any) -> bool:
    try:
        return bool(parse_document(text, shown).value == wanted)
    except ConfigFileError:
        return False


def _with(value: Any, path: Key, leaf: Any, shown: str) -> Any:
    """Return a value in which the setting at a path is `leaf`."""
    if not path:
        return leaf
    if value is not None and not isinstance(value, dict):
        raise ConfigFileError(shown, [f"expected a mapping above {key_name(path)}"])
    below = dict(value or {})
    below[path[0]] = _with(below.get(path[0]), path[1:], leaf, shown)
    return below


def _changed(text: str, path: Key, value: Any, *, is_json: bool) -> str:
    if is_json:
        from penstock.config.jsonedit import set_json

        return set_json(text, path, value)
    from penstock.config.yamledit import set_yaml

    return set_yaml(text, path, value)

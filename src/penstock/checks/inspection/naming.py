"""What a configuration names: words in its text that may be files or folders.

This reads no format in full. A word too many costs a result that need not have been found out again,
a word too few one that is out of date; so all words count but those under keys that hold patterns
of files to check. Of files that many tools share, only the tool's own tables are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from penstock.typed import typed_json

_SHARED = {"pyproject.toml": "toml", "setup.cfg": "ini", "tox.ini": "ini", "package.json": "json"}
_HEADER = re.compile(r"^[ \t]*\[+[ \t]*([^\]\n]+?)[ \t]*\]+[ \t]*(?:[#;].*)?$", re.MULTILINE)
_TOML_WORD = re.compile(r"[\w-]+")
# keys of patterns: what they name is checked, or left out, and not consulted
_PATTERN_KEYS = (
    r"(?:extend|force|no)?[-_]?(?:exclude|include|skip|omit)(?:[-_]?(?:dirs|glob|patterns))?"
    r"|(?:extend[-_])?per[-_]file[-_]ignores|ignore[-_]?(?:patterns|paths|files)|testpaths"
)
_PATTERNS = re.compile(
    rf"^[ \t]*[\"']?(?:{_PATTERN_KEYS})[\"']?[ \t]*[=:][ \t]*"
    r"(?:\[[^\]]{0,8000}\]|\{[^}]{0,8000}\}|[^\n]*(?:\n[ \t]+[^\n=]*$)*)",
    re.MULTILINE | re.IGNORECASE,
)
_PATTERN_TABLE = re.compile(r"per[-_]file[-_]ignores|overrides", re.IGNORECASE)
_WORD = re.compile(r"[^\s\"'`,;=()\[\]{}<>|#]{2,300}")
_QUOTED = re.compile(r"\"([^\"\n]{2,300})\"|'([^'\n]{2,300})'|`([^`\n$]{2,300})`")
_REST = re.compile(r"[=:][ \t]+([^\s\"'\[{][^\n]{1,300})$", re.MULTILINE)
_LARGEST = 1 << 18
MAX_WORDS = 20_000


_NAMES_NOTHING = ("ignore", ".editorconfig")
"""How files end that hold patterns alone."""


def named_in(name: str, data: bytes, words: Sequence[str]) -> Iterator[str]:
    """Yield what the configuration file called `name` may name, each once.

    `words` are what the tool's own tables are called in a file that tools share.
    """
    if name.endswith(_NAMES_NOTHING):
        return
    text = data[:_LARGEST].decode("utf-8", "replace")
    kind = _SHARED.get(name)
    if kind == "json":
        text = _own_members(data, words)
    elif kind is not None:
        text = _own_tables(text, words)
    seen: set[str] = set()
    for word in _words(_PATTERNS.sub("", text)):
        if word not in seen and len(seen) < MAX_WORDS:
            seen.add(word)
            yield word


def _words(text: str) -> Iterator[str]:
    yield from (a or b or c for a, b, c in _QUOTED.findall(text))
    yield from _WORD.findall(text)
    yield from (rest.strip() for rest in _REST.findall(text))
    for word in _WORD.findall(text):  # `key:value`, `path.py:function`
        if ":" in word:
            yield from (part for part in word.split(":") if len(part) > 1)


def _own_tables(text: str, words: Sequence[str]) -> str:
    """Return those tables of a TOML or INI file whose header names the tool."""
    headers = list(_HEADER.finditer(text))
    ends = [*(header.start() for header in headers), len(text)][1:]
    return "\n".join(
        text[header.end() : end]
        for header, end in zip(headers, ends, strict=True)
        if _is_own(header[1], words) and not _PATTERN_TABLE.search(header[1])
    )


def _is_own(header: str, words: Iterable[str]) -> bool:
    parts = {part.lower().replace("_", "-") for part in _TOML_WORD.findall(header)}
    return any(word in parts or header.lower().startswith(word) for word in words)


def _own_members(data: bytes, words: Sequence[str]) -> str:
    """Return those members of a JSON object whose key names the tool, as text."""
    try:
        members = typed_json(data, dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    own = (key for key in members if any(word in key.lower() for word in words))
    return "\n".join(bytes(members[key]).decode("utf-8", "replace") for key in own)

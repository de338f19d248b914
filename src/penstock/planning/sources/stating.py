"""Paths in fields that are made for paths: a list of files with remarks, as people write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from penstock.planning.sources.api import Use

_WORD: Final = re.compile(
    r"`(?P<quoted>[^`\n]+)`|\[(?P<linked>[^\]\n]+)\]\((?P<target>[^)\n]*)\)"
    r"|(?:[^\s,;`{}\uFF0C\u3001\uFF1B]|\{[^\s{}]*\})+|[{}]"
)
_MARKER: Final = re.compile(r"\s*(?:[-*+]|[0-9]+[.)])\s+(?:\[[ xX]?\]\s+)?")
_REMARKS: Final = frozenset({"-", "--", "\u2013", "\u2014", "#", "->", "\u2192"})
_BEHIND: Final = re.compile(r"[*_]*\s*(?:[(\[:\uFF08\uFF1A\u2013\u2014#]|--?\s)")
_EDGE: Final = "*_\"'<>()[]\uff08\uff09:\uff1a"
_EXTENSION: Final = re.compile(r"[^\s/]\.[A-Za-z][A-Za-z0-9]{0,9}$|(?:^|/)\.[A-Za-z][\w.-]+$")
_NAMES: Final = frozenset(
    {"Dockerfile", "Makefile", "Gemfile", "Rakefile", "Procfile", "Jenkinsfile"}
)
_PLACEHOLDER: Final = re.compile(r"\{.*\}$|<.*>$|path/to/")
_WORD_PAIR: Final = re.compile(
    r"(?:and/or|either/or|he/she|n/a|i/o|w/o|tbd|e\.g|i\.e)$", re.IGNORECASE
)
_NEW: Final = re.compile(
    r"\b(?:new|creates?|to be created|adds?|added)\b|新建|新增|新規|新しい|创建|創建|作成|追加",
    re.IGNORECASE,
)
_READ: Final = re.compile(
    r"\b(?:read[- ]only|references?|unchanged|do not (?:change|edit|modify))\b|只读|参考|参照",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """A path as a field names it, and what the words beside it say of its use."""

    path: str
    use: Use


class _Spot(NamedTuple):
    """Where a path stands in a line."""

    path: str
    start: int
    end: int


def named_paths(text: str, use: Use = Use.MODIFY) -> Iterator[Named]:
    """Yield the paths of one line of a list of files, each once.

    What stands in backticks is meant, and each word that looks like a path, up to a dash with a
    remark. `(new)` behind a path, and `create` before it, make it one to create; `read-only` is for
    one to read. Words before the first path speak for all.
    """
    marker = _MARKER.match(text)
    line = text[marker.end() :] if marker else text
    spots = _spots(line)
    if not spots:
        return
    otherwise = said_use(line[: spots[0].start], use)
    seen: set[str] = set()
    for index, spot in enumerate(spots):
        before = line[spots[index - 1].end : spot.start] if index else ""
        after = line[spot.end : spots[index + 1].start if index + 1 < len(spots) else None]
        own = otherwise if _BEHIND.match(before) else said_use(before, otherwise)
        if spot.path not in seen:
            yield Named(spot.path, said_use(after, own) if _BEHIND.match(after) else own)
        seen.add(spot.path)


def said_use(remark: str, otherwise: Use) -> Use:
    """Return the use that a remark beside a path speaks of."""
    if _NEW.search(remark):
        return Use.CREATE
    return Use.READ if _READ.search(remark) else otherwise


def clean_path(word: str) -> str:
    """Return a path without quotes, `./` before it and backslashes; nothing for a placeholder."""
    path = word.strip().strip("`'\"").replace("\\", "/")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return "" if _PLACEHOLDER.match(path) or path in ("", ".") else path


def looks_like_path(word: str) -> bool:
    """Whether a word without backticks is meant as a path: it has a folder or an extension."""
    if "://" in word or _PLACEHOLDER.match(word) or _WORD_PAIR.match(word):
        return False
    if word in _NAMES or "*." in word or word.endswith(("/*", "/**")):
        return True
    in_folder = len(word) > 1 and ("/" in word.strip("/") or word.endswith("/"))
    return in_folder or bool(_EXTENSION.search(word))


def _spots(line: str) -> list[_Spot]:
    """Return the paths before a remark, or those in it when there are none before it."""
    found: list[_Spot] = []
    for word in _WORD.finditer(line):
        if word[0] in _REMARKS and found:
            break
        if word["quoted"]:
            path = clean_path(word["quoted"])
        elif word["linked"]:
            path = _bare(word["linked"]) or _bare(word["target"])
        else:
            path = _bare(word[0])
        if path:
            found.append(_Spot(path, word.start(), word.end()))
    return found


def _bare(word: str) -> str:
    """Return a word as a path, without the signs around it; nothing when it is none."""
    if _PLACEHOLDER.match(word):
        return ""
    glob = word.endswith(("/*", "/**")) or "*." in word
    bare = word.lstrip("\"'<([\uff08") if glob else word.strip(_EDGE)
    bare = bare if bare.endswith("..") else bare.rstrip(".")
    return clean_path(bare) if looks_like_path(bare) else ""

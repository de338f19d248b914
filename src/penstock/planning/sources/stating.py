"""Paths in fields that are made for paths: a list of files with remarks, as people write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from penstock.planning.sources.api import Use

_QUOTED: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_GAP: Final = re.compile(r"[\s,;\uFF0C\u3001\uFF1B]+")
_EDGE: Final = "*_\"'<>()[]\uff08\uff09:\uff1a"
_REMARK: Final = re.compile(r"\s(?:-{1,2}|\u2013|\u2014|#)\s")
_EXTENSION: Final = re.compile(r"[^\s/]\.[A-Za-z][A-Za-z0-9]{0,9}$|(?:^|/)\.[A-Za-z][\w.-]+$")
_NAMES: Final = frozenset(
    {"Dockerfile", "Makefile", "Gemfile", "Rakefile", "Procfile", "Jenkinsfile"}
)
_PLACEHOLDER: Final = re.compile(r"^[{<\[].*[}>\]]$")
_WORD_PAIR: Final = re.compile(r"^[A-Za-z]+/[A-Za-z]+$")
_NEW: Final = re.compile(
    r"\b(?:new|creates?|to be created|added?)\b|新建|新增|新規|新しい|创建|創建|作成|追加",
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


def named_paths(text: str, use: Use = Use.MODIFY) -> Iterator[Named]:
    """Yield the paths of one line of a list of files.

    What stands in backticks is meant, and each word that looks like a path, up to a dash with a
    remark. `(new)` and its like make a path one to create, `read-only` one to read.
    """
    quoted = [found.strip() for found in _QUOTED.findall(text)]
    bare = _LINK.sub(r"\1", _QUOTED.sub(" ", text))
    words = [*quoted, *(word for word in _words(bare) if looks_like_path(word))]
    for word in dict.fromkeys(filter(None, map(clean_path, words))):
        yield Named(word, said_use(bare if quoted else text.replace(word, " "), use))


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
    if word in _NAMES or "*" in word:
        return True
    in_folder = len(word) > 1 and ("/" in word.strip("/") or word.endswith("/"))
    return in_folder or bool(_EXTENSION.search(word))


def _words(text: str) -> Iterator[str]:
    """Yield the words of a line before its remark, without the signs around them."""
    head = _REMARK.split(text.strip().removeprefix("- ").removeprefix("* "), maxsplit=1)[0]
    for part in _GAP.split(head):
        word = part if part.endswith(("/*", "/**", "*.*")) or "*." in part else part.strip(_EDGE)
        if word.rstrip("."):
            yield word.rstrip(".") if not word.endswith("..") else word

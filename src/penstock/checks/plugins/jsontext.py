"""Finding what is wrong with JSON, and where. JSON is RFC 8259; some files may also have comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, NoReturn

import msgspec

SYNTAX = "syntax"
DUPLICATE = "duplicate-key"
DEPTH = "too-deep"
MAX_REPEATED = 100
"""How many repeated keys of a file are told."""

_WITH_COMMENTS = (
    *("*.jsonc", "tsconfig*.json", "*.tsconfig.json", "jsconfig*.json", "tslint.json"),
    *("devcontainer.json", ".devcontainer.json", ".eslintrc.json", ".markdownlint.json"),
    *("api-extractor.json", "turbo.json", "deno.json"),
)
_FOLDERS_WITH_COMMENTS = (".vscode", ".devcontainer")
_STRING = r'"(?:[^"\\\n]++|\\.)*+"'
_COMMENT = re.compile(rf"{_STRING}|(//[^\n]*|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))")
_TRAILING = re.compile(rf"{_STRING}|(,)(?=\s*[}}\]])")
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],:]")
_NUMBER_NAMES = re.compile(rf"{_STRING}|(NaN|-?Infinity)")


class Flaw(msgspec.Struct, frozen=True):
    """Something wrong at a line and column, both from 1."""

    code: str
    message: str
    line: int
    column: int


class _NotANumberError(ValueError):
    """A number that only JavaScript knows."""


def has_comments(path: str) -> bool:
    """Tell by its name whether a file may have comments and commas before a closing bracket."""
    *folders, name = path.split("/")
    plain = name.lower()
    return any(fnmatchcase(plain, pattern) for pattern in _WITH_COMMENTS) or any(
        folder in _FOLDERS_WITH_COMMENTS for folder in folders
    )


def flaws(data: bytes, *, comments: bool = False) -> list[Flaw]:
    """Return what is wrong with a text: the first mistake in its syntax, else its repeated keys."""
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        return [_flaw(SYNTAX, "it is not UTF-8", before, len(before))]
    if not text.strip():
        return [Flaw(SYNTAX, "it is empty", 1, 1)]
    plain = _without_comments(text) if comments else text
    return _parsed(plain)


def _without_comments(text: str) -> str:
    """Put spaces where comments and commas too many are, so that all else keeps its place."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[1] is None else re.sub(r"[^\n]", " ", match[1])

    return _TRAILING.sub(blank, _COMMENT.sub(blank, text))


def _parsed(text: str) -> list[Flaw]:
    repeats: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in found}) < len(found):
            repeats.append("")

    try:
        # numbers stay text: one of a million digits is right, and slow
        json.loads(
            text, object_pairs_hook=pairs, parse_int=str, parse_float=str, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        return [Flaw(SYNTAX, error.msg, error.lineno, error.colno)]
    except _NotANumberError as error:
        return [_number_flaw(text, str(error))]
    except RecursionError:
        return [Flaw(DEPTH, "it is nested too deep to be looked at", 1, 1)]
    return list(islice(_repeated(text), MAX_REPEATED)) if repeats else []


def _refuse(name: str) -> NoReturn:
    raise _NotANumberError(name)


def _number_flaw(text: str, name: str) -> Flaw:
    places = (match.start(1) for match in _NUMBER_NAMES.finditer(text) if match[1] == name)
    return _flaw(SYNTAX, f"{name} is no JSON", text, next(places, 0))


def _repeated(text: str) -> Iterator[Flaw]:
    """Yield keys that an object has already, in a text that is known to be JSON."""
    keys: list[set[str]] = []
    last: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                keys.append(set())
            case "}" | "]":
                keys.pop()
            case ":" if last is not None:
                key = json.loads(last[0])
                if key in keys[-1]:
                    yield _flaw(
                        DUPLICATE, f"the key {last[0][:200]} is there twice", text, last.start()
                    )
                keys[-1].add(key)
        last = token


def _flaw(code: str, message: str, text: str, index: int) -> Flaw:
    before = text[:index]
    return Flaw(code, message, before.count("\n") + 1, index - before.rfind("\n"))

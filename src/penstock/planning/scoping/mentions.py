"""Paths that a line of a plan mentions, and whether it says that they are new or only to be read.

A mention is a word that holds a `/` or ends in a known extension, that is relative, no URL and no
version number; whether it is there is for `ground` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from penstock.planning.scoping.names import (
    EXTENSIONS,
    FILES_WITHOUT_EXTENSION,
    looks_like_a_product,
)
from penstock.planning.scoping.spans import blanked, code_spans

MAX_LINE: Final = 20_000
"""So many characters of one line are looked at."""
MAX_BRACES: Final = 32
"""So many paths may one `{a,b}` stand for."""
_NO_PATH: Final = re.compile(
    r"-+>|=+>|(?:(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://|www\.|mailto:)[^\s)>\]\"'`]+"
    r"|(?<![\w.-])[\w.-]+@[\w-]+(?:\.[\w-]+)+(?::[^\s)`]+)?"
    r"|(?<![\w.-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|ai|app|edu|gov|cn|jp|de|co)/[^\s)>\]\"'`]*",
    re.ASCII,
)
_WORD: Final = re.compile(
    r"(?:\{[^{}\s/]*\}|\([\w.@-]+\)(?=/)"
    r"|[^\s`\"'<>|,;!?()\u3001\u3002\uff0c\uff1b\uff1a\uff08\uff09\u300c-\u3011\u201c\u201d\u2018\u2019\u2026\u2192])+"
)
_ASCII_RUN: Final = re.compile(r"[A-Za-z0-9_./\\*@\[\]{}+$~#:-]+")
_PLACE_IN_FILE: Final = re.compile(r"(?::\d+(?:[:-]\d+)*|#L?\d+\S*|#[\w-]*|::\S*)$")
_VERSION: Final = re.compile(r"[vV^~=]?\d+(?:[./]\d+)*(?:[./][x*])?(?:[-+][\w.]+)?")
_BRACES: Final = re.compile(r"\{([^{}/]*,[^{}/]*)\}")
# Most words are none of this, and taking them apart costs more than all else.
_MAY_BE_A_PATH: Final = re.compile(
    "|".join((r"[/\\.{]", *map(re.escape, sorted(FILES_WITHOUT_EXTENSION))))
)
_EMPHASIS: Final = (("**", "**"), ("__", "__"), ("*", "*"), ("_", "_"), ("~~", "~~"))


class Quoting(Enum):
    """How a path is set off from the words around it."""

    PLAIN = "plain"
    CODE = "code"
    COMMAND = "command"


class Mention(NamedTuple):
    """A path as a line mentions it, cleaned, and where the line does so."""

    text: str
    quoting: Quoting
    start: int
    end: int

    @property
    def has_extension(self) -> bool:
        """Whether the last part looks like a file's name."""
        return has_known_name(self.text)


def mentions(line: str) -> list[Mention]:
    """Return the paths that a line mentions, in order, braces spelt out."""
    line = _NO_PATH.sub(lambda found: " " * len(found[0]), line[:MAX_LINE])
    spans = code_spans(line)
    found = [mention for span in spans for mention in _of_span(span.text, span.inside)]
    rest = blanked(line, spans)
    for word in _WORD.finditer(rest):
        found += _of_word(word[0], word.start(), Quoting.PLAIN)
    return sorted(found, key=lambda mention: (mention.start, mention.text))


def _of_span(code: str, start: int) -> Iterator[Mention]:
    """Yield the paths of a code span: it is one, or a command that names some."""
    if any(character.isspace() for character in code.strip()):
        for word in _WORD.finditer(code):
            yield from _of_word(word[0], start + word.start(), Quoting.COMMAND)
    else:
        lead = len(code) - len(code.lstrip())
        yield from _of_word(code.strip(), start + lead, Quoting.CODE)


def _of_word(word: str, start: int, quoting: Quoting) -> Iterator[Mention]:
    """Yield the paths of one word, which may run into letters of another script."""
    if _MAY_BE_A_PATH.search(word) is None:
        return
    for text, begin in _pieces(word):
        for path in spelt_out(text):
            if is_path_shaped(path, code=quoting is Quoting.CODE):
                yield Mention(path, quoting, start + begin, start + len(word))


def _pieces(word: str) -> list[tuple[str, int]]:
    """Return what of a word may be a path, with its place: all of it, or its runs of ASCII."""
    whole = cleaned(word)
    if word.isascii() or has_known_name(whole):
        return [(whole, word.find(whole) if whole in word else 0)]
    return [(cleaned(run[0]), run.start()) for run in _ASCII_RUN.finditer(word)]


def cleaned(word: str) -> str:
    r"""Return a word without emphasis, punctuation, a place in the file, `./`, and with `/` for `\`."""
    word = _without_emphasis(_without_stop(word.strip("\"'")))
    word = _without_label(_without_stop(word))
    word = _unbalanced(_PLACE_IN_FILE.sub("", word))
    if "\\" in word and "/" not in word:
        word = word.replace("\\", "/")
    while word.startswith("./"):
        word = word[2:]
    return word.removeprefix("@/") if word.startswith("@/") else word


def _without_stop(word: str) -> str:
    """Return a word without the end of a sentence; the dots of `..` stay."""
    return word if word.endswith("..") else word.rstrip(".:")


def _without_emphasis(word: str) -> str:
    """Return a word without marks of Markdown that stand at both of its ends."""
    for opening, closing in _EMPHASIS:
        if len(word) > 2 * len(opening) and word.startswith(opening) and word.endswith(closing):
            word = word[len(opening) : -len(closing)]
    return word


def _without_label(word: str) -> str:
    """Return what follows `file:` or `--config=` where that is written without a space."""
    for mark in (":", "="):
        before, found, after = word.partition(mark)
        if found and after and "/" not in before and "." not in before and len(before) > 1:
            return after if not after.startswith(("/", "\\", ":")) else word
    return word


def _unbalanced(word: str) -> str:
    """Return a word without brackets at its ends that it does not hold the other half of."""
    for opening, closing in ("[]", "{}", "()"):
        if word.startswith(opening) and word.endswith(closing) and word.count(opening) == 1:
            word = word[1:-1]
        if word.startswith(opening) and closing not in word:
            word = word[1:]
        if word.endswith(closing) and opening not in word:
            word = word[:-1]
    return word.rstrip(".,:;")


def spelt_out(text: str) -> list[str]:
    """Return the paths that a text with `{a,b}` stands for, itself when there are too many."""
    done, waiting = [], [text]
    while waiting:
        path = waiting.pop()
        found = _BRACES.search(path)
        if found is None:
            done.append(path)
        else:
            ends = (path[: found.start()], path[found.end() :])
            waiting += [ends[0] + choice.strip() + ends[1] for choice in found[1].split(",")]
        if len(done) + len(waiting) > MAX_BRACES:
            return [text]
    return sorted(done)


def is_path_shaped(text: str, *, code: bool = False) -> bool:
    """Tell whether a cleaned word can be a path; `code` when it stands in a code span of its own."""
    if not text or len(text) > 1024 or _VERSION.fullmatch(text) or not _has_letter(text):
        return False
    if "//" in text or text.startswith(("-", "#", "$", "=", "&")) or text.endswith("/.."):
        return False
    if "/" in text:
        return text.strip("/.*") != ""
    return has_known_name(text) and (code or not _is_prose(text))


def _is_prose(word: str) -> bool:
    """Tell whether a word without `/` is rather a product's name or a chain of names like a.b.c."""
    chained = word.count(".") > 1 and len(word.rpartition(".")[2]) == 1
    return chained or looks_like_a_product(word)


def has_known_name(text: str) -> bool:
    """Tell whether the last part of a path has a known extension or is a well-known name."""
    name = text.rpartition("/")[2]
    if name in FILES_WITHOUT_EXTENSION:
        return True
    stem, dot, extension = name.rpartition(".")
    return (
        bool(dot)
        and bool(stem.strip("*.") or "/" in text or "*" in stem)
        and (extension.lower() in EXTENSIONS)
    )


def _has_letter(text: str) -> bool:
    return any(character.isalpha() for character in text) or "*" in text

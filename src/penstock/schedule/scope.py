"""Scopes: what a workstream's claims allow, whether two claims overlap, what nobody may touch.

A claim is one entry of `files_scope` or `files_create`, repo-relative:

- a plain name `src/a.py` or `docs` claims that path, and everything below it if it is a directory;
- a trailing slash, `docs/`, claims everything below, and says that it is a directory;
- a glob claims the paths it matches: `*` and `?` stay within one segment, `**` as a whole segment
  stands for any number of them, `[a-z]` and `[!a-z]` are classes. A glob that ends in `/` claims
  everything below the directories it matches. A bracket also matches itself as it is spelt, because
  file names like `[slug].tsx` exist.

Names are compared as NFC strings, and case counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Final
from unicodedata import is_normalized, normalize

from penstock.schedule.glob import (
    ANY_SEGMENT,
    STAR,
    WILDCARD,
    Pattern,
    Segment,
    Star,
    parse_segment,
)

ALWAYS_REFUSED: Final = (".git", ".worktrees", "state", ".state")
BARE_FILE_NAMES: Final = frozenset({
    "makefile", "gnumakefile", "dockerfile", "containerfile", "jenkinsfile", "vagrantfile",
    "procfile", "gemfile", "rakefile", "brewfile", "justfile", "license", "licence", "copying",
    "notice", "readme", "changelog", "authors", "contributors", "codeowners", "version", "install",
    "news", "todo", ".gitignore", ".gitattributes", ".gitmodules", ".dockerignore", ".editorconfig",
    ".env", ".npmrc", ".flake8", ".coveragerc",
})  # fmt: skip
_DRIVE: Final = re.compile(r"[A-Za-z]:(?:/|$)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_WILDCARD_END: Final = re.compile(r"[*?\]]")
_ORDINARY: Final = re.compile(
    r"(?:[A-Za-z0-9_*-][A-Za-z0-9_.*-]*/)*[A-Za-z0-9_*-][A-Za-z0-9_.*-]*/?"
)


def normalise(claim: str) -> str:
    r"""Return a claim with `/` for `\`, without `./` and doubled slashes, as NFC.

    Raises ValueError saying what is wrong and how to mend it when the claim is empty, absolute,
    holds `..` or a control character.
    """
    if _ORDINARY.fullmatch(claim):
        return claim
    text = nfc(claim.replace("\\", "/"))
    if (found := _CONTROL.search(text)) is not None:
        raise ValueError(f"holds the character U+{ord(found[0]):04X}; remove it")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    plain = "/".join(parts) + ("/" if parts and text.endswith(("/", "/.")) else "")
    if ".." in parts:
        raise ValueError("holds '..'; write the path from the repository's root, without '..'")
    if text.startswith("/") or _DRIVE.match(text):
        inside = _DRIVE.sub("", plain) or "**"
        raise ValueError(f"absolute; write it relative to the repository, such as {inside!r}")
    if not parts:
        raise ValueError("names no path; write '**' for the whole repository")
    return plain


def nfc(text: str) -> str:
    """Return a text in Unicode normalisation form C."""
    return text if text.isascii() or is_normalized("NFC", text) else normalize("NFC", text)


class Claim:
    """One normalised claim, parsed when it is first compared."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_directory = text.endswith("/")
        self.name = text.rstrip("/")
        wildcard = WILDCARD.search(text)
        self.is_plain = wildcard is None
        # Every claimed path, written with a slash at its end, begins with the key.
        self.key = self.name + "/" if wildcard is None else text[: wildcard.start()]
        # Every claimed path, written with a slash before it, ends with the tail; it is empty where
        # something below the claim is claimed too.
        self.tail = ""
        if self.is_plain and self.names_file:
            self.tail = f"/{self.name}"
        elif not (self.is_plain or self.is_directory):
            self.tail = _WILDCARD_END.split(text)[-1]

    @property
    def names_file(self) -> bool:
        """Tell whether a plain name looks like a file's, by an extension or a well-known name."""
        last = self.name.rpartition("/")[2]
        has_extension = "." in last[1:].rstrip(".")
        return not self.is_directory and (has_extension or last.lower() in BARE_FILE_NAMES)

    @cached_property
    def pattern(self) -> Pattern:
        """The claim as a pattern; a plain name that looks like a file is one."""
        names = self.name.split("/")
        items: list[Segment | Star] = [
            STAR if name == "**" else parse_segment(name) for name in names
        ]
        if names[-1] == "**":
            items.append(ANY_SEGMENT)
        elif self.is_directory:
            items += [ANY_SEGMENT, STAR]
        elif self.is_plain and not self.names_file:
            items.append(STAR)
        return Pattern(tuple(items))

    def contains(self, other: Claim) -> bool:
        """Tell whether this plain name is the beginning of all that the other claims."""
        return other.key.startswith(self.name + "/")

    def overlaps(self, other: Claim) -> bool:
        """Tell whether some path is claimed by both."""
        if self.is_plain and self.contains(other):
            return True
        if other.is_plain and other.contains(self):
            return True
        if self.is_plain and other.is_plain:
            return False
        mine, theirs = self.tail, other.tail
        if not (mine.endswith(theirs) or theirs.endswith(mine)):
            return False
        return self.pattern.meets(other.pattern)


def overlap(a: str, b: str) -> bool:
    """Tell whether two claims share a path, computed exactly over the language of claims.

    A plain name is a file or a directory, since nothing here looks at the disk. One that looks
    like a file (`a.py`, `Makefile`) is taken as a directory only where the other claim spells it
    out as one (`a.py/x`, `a.py/*`), or else `**/b.py` would overlap every file there is.
    Raises ValueError when one of them is no claim (see `normalise`).
    """
    return Claim(normalise(a)).overlaps(Claim(normalise(b)))


class ScopeMatcher:
    """What a set of claims allows. Raises ValueError for a claim that `normalise` rejects."""

    def __init__(self, claims: Iterable[str]) -> None:
        parsed = [Claim(normalise(text)) for text in claims]
        self._names = frozenset(c.name for c in parsed if c.is_plain and not c.is_directory)
        self._above = frozenset(c.name for c in parsed if c.is_plain)
        self._globs = tuple(c.pattern for c in parsed if not c.is_plain)

    def allows(self, path: str) -> bool:
        """Tell whether a repo-relative path with `/` lies in the scope.

        Anything that is no such path (empty, absolute, with `.` or `..` segments) does not.
        """
        path = nfc(path)
        segments = path.split("/")
        if any(segment in ("", ".", "..") for segment in segments):
            return False
        if path in self._names or self._is_below(path):
            return True
        return any(pattern.matches(segments) for pattern in self._globs)

    def _is_below(self, path: str) -> bool:
        """Tell whether a directory above the path is claimed."""
        end = path.rfind("/")
        while end > 0:
            if path[:end] in self._above:
                return True
            end = path.rfind("/", 0, end)
        return False


def refusal(path: str, protected: Iterable[str] = ()) -> str | None:
    """Say why nobody may touch a path, whatever their scope, or return None.

    Refused are paths that leave the repository, `.git` at any depth and in any case, penstock's
    own folders at the root, and what the protected globs match.
    Raises ValueError for a protected glob that is no claim.
    """
    segments = path.split("/")
    if any(segment in ("", "..") for segment in segments):
        return "not a path inside the repository"
    if any(segment.lower() == ".git" for segment in segments):
        return "git's own files are always refused"
    if segments[0] in ALWAYS_REFUSED:
        return f"'{segments[0]}' belongs to penstock and is always refused"
    if _matcher(tuple(protected)).allows(path):
        return "a protected path"
    return None


@lru_cache(maxsize=64)
def _matcher(claims: tuple[str, ...]) -> ScopeMatcher:
    """The matcher of a set of globs, made once."""
    return ScopeMatcher(claims)

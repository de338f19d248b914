"""The notice in an old tree's README and build script. Pure: texts in, texts out."""

from __future__ import annotations

import re

MARK = "penstock: deprecated"
README_NOTICE = (
    f"<!-- {MARK} -->",
    "> **Deprecated.** The settings of this tree are in `aim_config` of penstock now, and its secrets",
    "> belong into penstock's vault. Nothing here is read any more. What was carried over, and what is",
    "> left to do, is in `migration_report.md`; `aim migrate rollback` takes it all back.",
)
SCRIPT_NOTICE = (
    f"# {MARK}",
    "Write-Warning 'AI_MANGER is deprecated: use aim of penstock, see migration_report.md.'",
)
_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"[^\r\n]*")
_USING = re.compile(r"using\s", re.IGNORECASE)
_PARAM = re.compile(r"param\s*\(", re.IGNORECASE)
_BLOCK = re.compile(r"(?:begin|process|end|clean|dynamicparam)\s*\{", re.IGNORECASE)
_SIGNATURE = re.compile(r"^# SIG # Begin signature block", re.MULTILINE | re.IGNORECASE)
_QUOTED = re.compile(
    r"@'\r?\n.*?\n'@|@\"\r?\n.*?\n\"@|'(?:[^']|'')*'|\"(?:[^\"`]|`.|\"\")*\"|<#.*?#>|#[^\r\n]*|`.",
    re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]"}


def mark_readme(text: str) -> str:
    """Return a README with the notice at its top; unchanged when it has one."""
    if MARK in text:
        return text
    newline = _newline(text)
    return newline.join(README_NOTICE) + newline + (newline + text if text else "")


def mark_script(text: str) -> str | None:
    """Return a PowerShell script that warns, as soon as its parameters are read, that it is deprecated;
    unchanged when it does.

    Where no statement may stand there, a comment says so instead. None when the script is signed:
    any change would break the signature.
    """
    if MARK in text:
        return text
    if _SIGNATURE.search(text):
        return None
    newline = _newline(text)
    at = _first_statement(text)
    if at is None:
        return f"# {MARK}: use aim of penstock, see migration_report.md{newline}{text}"
    notice = newline.join(SCRIPT_NOTICE) + newline
    before = text[:at]
    gap = "" if not before or before.endswith("\n") else newline
    return f"{before}{gap}{notice}{text[at:].removeprefix(newline) if gap else text[at:]}"


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _first_statement(text: str) -> int | None:
    """Return where the first statement of a script may stand: after its `using` and `param`. None when
    that cannot be told, or its statements are in blocks (`begin`, `process`)."""
    at, attribute = 0, None
    while True:
        at = _past_blanks(text, at)
        if _PARAM.match(text, at):
            end = _past_brackets(text, text.index("(", at))
            return None if end is None or _BLOCK.match(text, _past_blanks(text, end)) else end
        if text.startswith("[", at):
            attribute = at if attribute is None else attribute
            end = _past_brackets(text, at)
            if end is None:
                return None
            at = end
        elif _USING.match(text, at):
            at = _end(_LINE, text, at)
        else:
            break
    if _BLOCK.match(text, at):
        return None
    return at if attribute is None else attribute


def _past_blanks(text: str, at: int) -> int:
    """Return where blanks and comments end."""
    while True:
        if text.startswith("<#", at):
            found = text.find("#>", at)
            after = len(text) if found < 0 else found + 2
        elif text.startswith("#", at):
            after = _end(_LINE, text, at)
        else:
            after = _end(_SPACE, text, at)
        if after == at:
            return at
        at = after


def _past_brackets(text: str, at: int) -> int | None:
    """Return where a bracket that opens at `at` is closed, strings and comments passed over; None
    when it never is."""
    waiting: list[str] = []
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        if quoted:
            at = quoted.end()
            continue
        sign = text[at]
        at += 1
        if sign in _CLOSING:
            waiting.append(_CLOSING[sign])
        elif waiting and sign == waiting[-1]:
            waiting.pop()
            if not waiting:
                return at
    return None


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at

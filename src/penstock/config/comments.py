"""Comments in hand-written JSON."""

from __future__ import annotations

import re
from typing import Final

JSON_STRING: Final = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
"""A JSON string as a regular expression; possessive, so that nothing is tried twice."""
# Everything up to the next comment in one match, then the comments: a comment sign inside of a
# string is none.
_LEXEME: Final = re.compile(
    rf'(?P<kept>(?:[^"/]++|{JSON_STRING}|"|/(?![/*]))++)|//[^\n\r]*+|/\*.*?\*/|/\*', re.DOTALL
)
_INK: Final = re.compile(r"[^\n\r]")


def blank_comments(text: str) -> str:
    """Replace `//` and `/* */` comments by spaces, so that lines and columns stay true.

    Raises ValueError naming line and column of a `/*` that is never closed.
    """
    if "//" not in text and "/*" not in text:
        return text

    def blank(found: re.Match[str]) -> str:
        lexeme = found[0]
        if found["kept"] is not None:
            return lexeme
        if lexeme == "/*":
            at = found.start()
            line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
            raise ValueError(
                f"line {line} column {column}: the comment that '/*' opens is never closed; add '*/'"
            )
        return _INK.sub(" ", lexeme)

    return _LEXEME.sub(blank, text)

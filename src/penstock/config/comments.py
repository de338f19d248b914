"""Comments in hand-written JSON."""

from __future__ import annotations

import re

# A string is matched first, so that comment signs inside of it are none.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|/\*', re.DOTALL)
_INK = re.compile(r"[^\n\r]")


def blank_comments(text: str) -> str:
    """Replace `//` and `/* */` comments by spaces, so that lines and columns stay true.

    Raises ValueError naming the line of a `/*` that is never closed.
    """
    if "/" not in text:
        return text

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        if found == "/*":
            line = text.count("\n", 0, match.start()) + 1
            raise ValueError(f"line {line}: the comment is never closed")
        return found if found[0] == '"' else _INK.sub(" ", found)

    return _TOKEN.sub(blank, text)

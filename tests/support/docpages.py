"""Reading the documentation: its code blocks, what of them is run, its links.

Two conventions make a page executable, in the order of the page:

- ```` ```console ```` blocks hold commands that are run: a line that begins with `$ `, with the
  lines after it that begin with `> `. What a command should end with, if not 0, stands at its end
  as `# exits N`. Other lines are output, for the reader.
- `<!-- file: PATH -->` before any block writes that block's text to PATH.

All other blocks (`sh`, `text`, ...) are shown, not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
TOP_PAGES = ("README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md")

_BLOCK = re.compile(
    r"(?:^<!-- (?P<directive>[a-z]+): (?P<value>[^\n]*?) -->\n)?"
    r"^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXITS = re.compile(r"\s+# exits (\d+)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A fenced block; `directive` and `value` are those of the comment before it, if any."""

    language: str
    text: str
    line: int
    directive: str | None = None
    value: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with a page: a file written, or a command run that ends with `code`."""

    line: int
    file: str | None = None
    text: str = ""
    command: str | None = None
    code: int = 0


def pages() -> list[Path]:
    """Return every page of documentation."""
    return [*(ROOT / name for name in TOP_PAGES), *sorted((ROOT / "docs").rglob("*.md"))]


def page_id(page: Path) -> str:
    """Return how a page is called in the names of tests."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            language=found["language"],
            text=found["text"],
            line=text.count("\n", 0, found.start()) + 1,
            directive=found["directive"],
            value=found["value"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def steps(page: Path) -> list[Step]:
    """Return what is run of a page, in its order."""
    done: list[Step] = []
    for block in blocks(page):
        if block.directive == "file":
            done.append(Step(line=block.line, file=block.value, text=block.text))
        elif block.language == "console":
            done += [_step(command, block.line) for command in _commands(block.text)]
    return done


def _step(command: str, line: int) -> Step:
    found = _EXITS.search(command)
    code = int(found[1]) if found else 0
    return Step(line=line, command=_EXITS.sub("", command), code=code)


def _commands(text: str) -> Iterator[str]:
    """Yield the commands of a block, each with its further lines."""
    command: list[str] = []
    for line in text.splitlines():
        if line.startswith("> ") and command:
            command.append(line[2:])
            continue
        if command:
            yield "\n".join(command)
        command = [line[2:]] if line.startswith("$ ") else []
    if command:
        yield "\n".join(command)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Return the relative links of a page."""
    found = _LINK.findall(prose(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, spelled as GitHub does."""
    return {_anchor(title) for title in _HEADING.findall(prose(page))}


def _anchor(title: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", title.lower())
    return plain.strip().replace(" ", "-")


def inline_commands(page: Path) -> list[str]:
    """Return what stands as `penstock ...` or `aim ...` in the text of a page."""
    found = re.findall(r"`((?:penstock|aim) [^`]+)`", prose(page))
    return [" ".join(code.split()) for code in found]


def documented_events() -> dict[str, set[str]]:
    """Return the payload keys that docs/reference/events.md gives for each type of event."""
    text = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    return {name: _keys(payload) for name, payload in rows}


def _keys(payload: str) -> set[str]:
    """Return the names of a list such as `turns [{ws_id}], path (relative), until`."""
    left = payload
    while (plain := re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", "", left)) != left:
        left = plain
    return {word.strip() for word in left.split(",") if word.strip()}

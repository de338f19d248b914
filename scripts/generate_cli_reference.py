"""Write docs/reference/cli.md from the parser, so that it cannot differ from what is understood."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "reference" / "cli.md"
HEAD = """\
# Command line

Made from the parser by `scripts/generate_cli_reference.py`; change the commands, not this page.

Exit codes: 0 done, 1 the work failed, 2 a mistake in the command, a file or this machine, 3 a bug
in penstock (a report file is named), 130 interrupted. With `--json` the result, or the error as
`{"error": {"message", "hint", "exit_code"}}`, is printed on stdout; everything else goes to stderr.
The shapes are in [json.md](json.md).

RUN is a full run id, an unambiguous beginning of one, or `latest`. WS is a workstream id, with or
without `ws-`, or an unambiguous beginning of one.
"""


def reference() -> str:
    """Return the whole page."""
    import click

    from penstock.aim_cli.main import cli as aim
    from penstock.cli.main import cli

    parts = [HEAD]
    for group, name in ((cli, "penstock"), (aim, "aim")):
        context = click.Context(group, info_name=name, **group.context_settings)
        parts += [section(command, inner) for command, inner in commands(group, context)]
    return "\n".join(parts)


def commands(
    group: click.Group, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command with its context, groups' commands included, in their order."""
    import click

    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield command, inner
        if isinstance(command, click.Group):
            yield from commands(command, inner)


def section(command: click.Command, context: click.Context) -> str:
    """Return the part about one command."""
    import click

    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {context.command_path}", "", f"    {context.command_path} {usage}", ""]
    lines += [inspect.cleandoc(command.help or ""), ""]
    rows = [
        param.get_help_record(context)
        for param in command.get_params(context)
        if isinstance(param, click.Option)
    ]
    shown = [row for row in rows if row is not None]
    if shown:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{cell(name)}` | {cell(meaning)} |" for name, meaning in shown]
        lines.append("")
    return "\n".join(lines)


def cell(text: str) -> str:
    """Return text for a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Write the page and name it."""
    sys.path.insert(0, str(ROOT / "src"))
    TARGET.write_text(reference(), encoding="utf-8")
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())

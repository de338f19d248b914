"""A click group that imports a command only when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """One command: its name is its module in the group's package, where it is `command`."""

    name: str
    help: str
    section: str


class LazyGroup(click.Group):
    """A group whose help needs no command's module, only the table of entries.

    `package` is the dotted name of the package that holds the commands' modules.
    """

    def __init__(
        self,
        *args: Any,
        entries: Iterable[Entry] = (),
        package: str = "penstock.cli.commands",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.entries = {entry.name: entry for entry in entries}
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        """Return the names in the order of the table."""
        return list(self.entries)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        cmd_name: str,
    ) -> click.Command | None:
        """Import and return a command, None when there is none of that name."""
        if cmd_name not in self.entries:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with; a wrong name gets the nearest known one."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            ctx.fail(f"No such command '{name}'.{self._nearest(name)}")
        return super().resolve_command(ctx, args)

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches

        found = get_close_matches(name, self.entries, n=1)
        return f" Did you mean '{found[0]}'?" if found else ""

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the table, section by section, with the entries' own help."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for entry in self.entries.values():
            sections.setdefault(entry.section, []).append((entry.name, entry.help))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)

"""config/router_config.json: reading it, with every error at once."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from penstock.config.decode import decode, nearest
from penstock.config.documents import ConfigFileError, Document, load_document
from penstock.model.router import App, RouterConfig

NAME = "config/router_config.json"


def load_router_config(path: Path) -> RouterConfig:
    """Read a router configuration: a file, or the repository root that may hold one.

    `$schema` is left out. Raises ConfigFileError that lists every error, also when there is none.
    """
    file, root = (path / NAME, path) if path.is_dir() else (path, None)
    document = load_document(file, root=root)
    if document is None:
        raise ConfigFileError(
            NAME if root else str(path),
            ["there is no such file"],
            hint="docs/reference/routing.md shows one",
        )
    if isinstance(document.value, dict):
        plain = {key: value for key, value in document.value.items() if key != "$schema"}
        document = Document(document.shown, plain, document.marks)
    config = decode(document, RouterConfig)
    problems = list(_problems(config))
    if problems:
        raise ConfigFileError(document.shown, problems)
    return config


def _problems(config: RouterConfig) -> Iterator[str]:
    """Give a line for each error between the parts of the file."""
    for app_id, app in config.apps.items():
        yield from _command_problems(app_id, app)
    seen: set[str] = set()
    for at, rule in enumerate(config.routing.rules):
        place = f"routing.rules[{at}]"
        if rule.id in seen:
            yield f"{place}.id: {rule.id} is given twice"
        seen.add(rule.id)
        for key, named in (
            ("select_from", rule.select_from),
            ("validate_with", rule.validate_with),
        ):
            for position, app_id in enumerate(named):
                if app_id not in config.apps:
                    known = nearest(app_id, config.apps)
                    yield f"{place}.{key}[{position}]: there is no app {app_id!r}; {known}"


def _command_problems(app_id: str, app: App) -> Iterator[str]:
    if not isinstance(app.command, str):
        return
    try:
        empty = not shlex.split(app.command)
    except ValueError as error:
        yield f"apps.{app_id}.command: cannot be split into arguments: {error}"
        return
    if empty:
        yield f"apps.{app_id}.command: names no program"

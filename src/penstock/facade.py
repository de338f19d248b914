"""The documented functions over tool profiles and bundles, in the repository of the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.config.profiles import load_tool_profiles as _load_tool_profiles
from penstock.errors import BundleError
from penstock.model.bundle import Bundle
from penstock.model.settings import ToolProfile
from penstock.tools.api import ToolResult
from penstock.wiring import open_workspace


def load_and_validate_bundles(directory: str | None = None) -> list[Bundle]:
    """Return all bundles of the folder (PIPELINE_WORKSTREAM_DIR, `workstreams/`), sorted by id.

    Raises BundleValidationError, BundleDependencyError, BundleCycleError, FileScopeOverlapError or
    ConfigError, with every problem of that kind.
    """
    with open_workspace() as workspace:
        return workspace.valid_bundles(directory)


def sync_bundles_to_db(run_id: str, bundles: Sequence[Bundle]) -> int:
    """Enter bundles that a run does not hold yet as pending; return how many bundles there are.

    The run is made when there is none of that id. Raises UsageError when it has ended.
    """
    if not bundles:
        raise BundleError("there are no bundles to enter")
    with open_workspace() as workspace:
        workspace.sync_bundles(run_id, bundles)
    return len(bundles)


def load_tool_profiles(path: str | os.PathLike[str] | None = None) -> dict[str, ToolProfile]:
    """Return all tool profiles by id: the packaged ones, overlaid by `path` or, by default, by
    config/tool_profiles.json. Raises ConfigError."""
    if path is not None:
        return _load_tool_profiles(Path(path))
    with open_workspace() as workspace:
        return dict(workspace.profiles)


def get_tool_profile(tool_id: str) -> ToolProfile:
    """Return a tool profile. Raises NotFoundError that names the nearest known id."""
    with open_workspace() as workspace:
        return workspace.profile(tool_id)


def render_command(tool_id: str, context: Mapping[str, object]) -> tuple[str, ...]:
    """Return the argv of a profile for a context; one argument stays one argument.

    Raises NotFoundError, and ConfigError for an unknown placeholder.
    """
    with open_workspace() as workspace:
        return workspace.render_command(tool_id, context)


def run_tool(
    tool_id: str,
    context: Mapping[str, object],
    run_id: str | None = None,
    ws_id: str | None = None,
) -> ToolResult:
    """Run a profile's command once with its time limit; its whole process tree is ended with it.

    Raises NotFoundError, ConfigError. What the command does is in the result.
    """
    with open_workspace() as workspace:
        return workspace.run_tool(tool_id, context, run_id, ws_id)

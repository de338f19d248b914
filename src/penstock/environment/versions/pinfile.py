"""Writing pins into aim_config, leaving all else in it as it is."""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.config.documents import load_document, shown_name
from penstock.config.edit import edit_text
from penstock.config.problems import Key
from penstock.environment.api import Manager, PinReport, VersionReport, VersionStatus
from penstock.environment.wholefile import write_whole
from penstock.errors import EnvironmentProblem

Pins = Mapping[str, Mapping[str, str]]
AT = ("environment", "versionPins")


def pins_of(report: VersionReport, managers: Collection[Manager]) -> dict[str, dict[str, str]]:
    """Return the versions of what is installed, by manager and name.

    What nobody pinned counts too; in an environment of pip, which mostly holds what a project needs,
    only when pip is one of `managers`.
    """
    pins: dict[str, dict[str, str]] = {}
    for tool in report.tools:
        surprising = tool.status is VersionStatus.UNEXPECTED
        if tool.installed is None or (
            surprising and tool.manager is Manager.PIP and Manager.PIP not in managers
        ):
            continue
        pins.setdefault(tool.manager.value, {})[tool.tool] = tool.installed
    return pins


def write_pins(
    pins: Pins, files: Sequence[Path], root: Path, *, dry_run: bool = False
) -> PinReport:
    """Put pins into files, made when they are not there; `changed` counts those that are not as they
    were. Raises ConfigFileError, EnvironmentProblem when a file cannot be written."""
    texts, changed = {}, 0
    for path in files:
        changes = _changes(pins, path)
        changed = max(changed, len(changes))
        texts[path] = _edited(path, changes, shown_name(path, root)) if changes else None
    for path, text in texts.items():
        if text is not None and not dry_run:
            replace_file(path, text)
    return PinReport(
        pins=pins, files=tuple(shown_name(path, root) for path in files), changed=changed
    )


def _changes(pins: Pins, path: Path) -> dict[Key, Any]:
    """Return the settings of a file that must be changed for the pins to be in it."""
    document = load_document(path)
    held = None if document is None else document.value
    wanted: dict[Key, Any] = {
        (*AT, manager, name): version
        for manager, own in pins.items()
        for name, version in own.items()
    }
    return {at: version for at, version in wanted.items() if _at(held, at) != version}


def _at(value: Any, path: Key) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _edited(path: Path, changes: Mapping[Key, Any], shown: str) -> str:
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    return edit_text(text, shown, changes)


def replace_file(path: Path, text: str) -> None:
    """Write a file in one piece, its mode as it was; a link stays one. Raises EnvironmentProblem."""
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        write_whole(target, text, mode)
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be written: {error.strerror}",
            hint="Mend its permissions, or free space.",
        ) from error

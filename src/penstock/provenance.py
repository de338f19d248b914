"""Code from outside the package that penstock may start or import here, and what is thought of it.

Adapter programs of the registry, plugins with code in the folders that the user names, and programs
of tool profiles that lie in the repository.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from penstock.audit.api import AuditTrail, EventType, Severity
from penstock.checks.plugins.loading import foreign_folders
from penstock.errors import EnvironmentProblem
from penstock.folders import aim_home, private_folder
from penstock.model.settings import ToolProfile
from penstock.registry.api import RegistryTool
from penstock.trust import Code, Ledger, Standing, Vetted

Trail = Callable[[], AuditTrail | None]
"""Where changes are recorded; asked for when there is one to record."""
ACCEPT = "aim tools contract --accept"
_FILE = "foreign-code.json"


def adapter_code(tools: Mapping[str, RegistryTool]) -> Iterator[Code]:
    """Yield the adapter programs that registry entries name."""
    for tool in tools.values():
        if tool.adapter_script is not None:
            yield Code(name=f"adapter of {tool.tool_id}", path=tool.adapter_script)


def plugin_code() -> Iterator[Code]:
    """Yield the plugins with code in the folders that the user names."""
    for place in foreign_folders():
        yield Code(name=f"plugin {place.name}", path=place)


def profile_code(profiles: Mapping[str, ToolProfile], root: Path) -> Iterator[Code]:
    """Yield the programs of tool profiles that lie in the repository at `root`."""
    top = root.resolve()
    for tool_id, profile in profiles.items():
        if "/" not in profile.command or "{" in profile.command:
            continue
        place = root / profile.command
        if place.is_file() and place.resolve().is_relative_to(top):
            yield Code(name=f"program of {tool_id}", path=place)


def look(codes: Sequence[Code], trail: Trail) -> tuple[Vetted, ...]:
    """Return what is known of code; a change is told to the audit trail once.

    Raises EnvironmentProblem without a home of our own, AIMAuditLogError.
    """
    if not codes:
        return ()
    found = _ledger().look(codes, time.time())
    news = [vetted for vetted in found if vetted.is_news]
    recording = trail() if news else None
    for vetted in news if recording is not None else ():
        if recording is not None:
            recording.event(
                EventType.CONFIG_UPDATE,
                f"changed: {vetted.name}",
                severity=Severity.WARNING,
                details={"path": str(vetted.path), "sha256": vetted.digest},
            )
    return found


def accept(codes: Sequence[Code], trail: Trail) -> tuple[Vetted, ...]:
    """Take code as it is now, which the trail gets. Raises as `look` does."""
    if not codes:
        return ()
    ledger = _ledger()
    changed = [v.name for v in ledger.look(codes, time.time()) if not v.ok]
    try:
        found = ledger.accept(codes, time.time())
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot remember what was accepted: {error.strerror or error}",
            hint="Free space or mend the permissions, then accept it again.",
        ) from error
    recording = trail() if changed else None
    if recording is not None:
        told = {v.name: v.digest for v in found if v.name in changed}
        message = "accepted changed code of others"
        recording.event(EventType.CONFIG_UPDATE, message, details={"sha256": told})
    return found


def _ledger() -> Ledger:
    return Ledger(private_folder(aim_home()) / _FILE)


def words_of(vetted: Vetted) -> str:
    """Say in a line what is thought of a piece of code."""
    match vetted.standing:
        case Standing.REFUSED:
            return f"{vetted.name} is refused: {vetted.reason}"
        case Standing.CHANGED:
            return f"{vetted.name} is not what it was: {vetted.path} has changed"
        case Standing.FIRST:
            return f"{vetted.name} was seen for the first time"
        case Standing.KNOWN:
            return f"{vetted.name} is what it was"


def news_of(found: Sequence[Vetted]) -> tuple[str, ...]:
    """Return the changes that nobody was told of yet, a line each."""
    return tuple(f"{words_of(vetted)} ({ACCEPT})" for vetted in found if vetted.is_news)

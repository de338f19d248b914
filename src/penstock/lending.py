"""Who is lent which secrets: put together from the tool profiles, the registry and the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from penstock.audit.api import AuditTrail, EventType
from penstock.errors import AIMRegistryNotFoundError
from penstock.model.settings import ToolProfile
from penstock.registry.api import Registry, RegistryTool
from penstock.registry.signin import WAYS
from penstock.tools.toolbox import BUILT_IN
from penstock.vault.api import Purpose
from penstock.vault.lending import Lender, Naming, Source


def make_lender(
    vault: Source,
    profiles: Mapping[str, ToolProfile],
    registry: Callable[[], Registry | None],
    trail: Callable[[], AuditTrail | None],
) -> Lender:
    """Return what lends tools and checks their secrets; each reading of the vault is recorded.

    `registry` is asked when the first tool is; None is a repository where AIM is off.
    """

    @cache
    def entries() -> Mapping[str, RegistryTool]:
        try:
            found = registry()
        except AIMRegistryNotFoundError:
            return {}
        return found.tools if found is not None else {}

    @cache
    def naming(tool_id: str) -> Naming:
        return naming_of(tool_id, profiles.get(tool_id), entries().get(tool_id))

    def record(tool_id: str, names: tuple[str, ...], run_id: str | None, ws_id: str | None) -> None:
        recording = trail()
        if recording is not None:
            recording.event(
                EventType.SECRET_GET,
                f"lent to {tool_id}",
                details={"names": list(names), "purpose": Purpose.TOOL, "tool": tool_id},
                run_id=run_id,
                ws_id=ws_id,
            )

    return Lender(vault, naming, record)


def naming_of(tool_id: str, profile: ToolProfile | None, entry: RegistryTool | None) -> Naming:
    """Return the secrets that a tool may have.

    An adapter of ours asks for the keys that its tool signs in with; a program of others for none.
    """
    foreign = tool_id not in BUILT_IN or (entry is not None and entry.adapter_script is not None)
    way = None if foreign else WAYS.get(tool_id)
    stated = [
        source.secrets
        for source in (profile, entry)
        if source is not None and source.secrets is not None
    ]
    return Naming(
        wanted=way.keys if way is not None else (),
        stated=tuple(dict.fromkeys(name for names in stated for name in names)) if stated else None,
    )

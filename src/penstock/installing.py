"""The tools of this machine: which versions there are, beside those that shall be there.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.environment.api import Inventory, Manager, VersionReport
    from penstock.environment.installers.python_place import PythonPlace
    from penstock.environment.versions.compare import Wanted
    from penstock.registry.api import RegistryTool


_ALWAYS = frozenset({"pipx", "uv", "npm"})
"""The managers whose packages are all looked at, without pins too: they install programs for people,
while an environment of pip holds what a project needs."""
_KEPT = (
    "PIP_*", "PIPX_*", "UV_*", "NPM_*", "npm_*", "PREFIX", "PYENV_*", "NVM_*", "VOLTA_HOME",
)  # fmt: skip
"""What of our environment package managers are steered by."""


class Installing(Surroundings):
    """What can be asked of package managers, and done with them."""

    def version_report(self, managers: Collection[Manager] = ()) -> VersionReport:
        """Return how the tools of this machine stand to the pins of aim_config.

        `managers` limits it to some; none means all. Package metadata is read; only what has none is
        asked for its version, within seconds. A pin that is wrong is a tool of unknown status. Raises
        ConfigError when aim_config cannot be read, AIMRegistryLoadError.
        """
        from penstock.environment.api import Manager, VersionReport
        from penstock.environment.versions.compare import compare
        from penstock.model.times import iso

        wanted = tuple(self._wanted())
        chosen = [manager for manager in Manager if not managers or manager in managers]
        tools = [
            tool
            for manager in chosen
            for own in [tuple(one for one in wanted if one.manager is manager)]
            if own or manager in _ALWAYS
            for tool in compare(own, self._inventory(manager, own))
        ]
        return VersionReport(
            timestamp=iso(time.time()), tools=tuple(tools), source=self.aim_settings.source
        )

    def _wanted(self) -> Iterator[Wanted]:
        """Yield the packages that aim_config names, pinned ones first."""
        from penstock.environment.api import Manager
        from penstock.environment.versions.compare import Wanted

        section = self.aim_settings.environment
        pins = section.version_pins.by_manager()
        pins["tools"] = {**self._pinned_in_registry(), **pins["tools"]}
        for manager, own in pins.items():
            for name, pin in own.items():
                yield Wanted(Manager(manager), name, pin)
        for manager, names in (("pipx", section.pipx_apps), ("npm", section.npm_global)):
            for name in names:
                if name not in pins[manager]:
                    yield Wanted(Manager(manager), name)

    def _inventory(self, manager: Manager, wanted: Collection[Wanted]) -> Inventory:
        from penstock.environment.api import Inventory, Manager
        from penstock.environment.installers import inventories
        from penstock.process.environment import child_environment

        env = child_environment(keep=_KEPT)
        if manager is Manager.PIP:
            return inventories.pip_inventory(self.pip_place)
        if manager is Manager.TOOLS:
            return self._tool_inventory([one.name for one in wanted])
        if manager is Manager.WINGET:
            return Inventory(manager=manager, problem="winget is not on this machine")
        readers = {
            Manager.PIPX: inventories.pipx_inventory,
            Manager.UV: inventories.uv_inventory,
            Manager.NPM: inventories.npm_inventory,
        }
        return readers[manager](env)

    @cached_property
    def pip_place(self) -> PythonPlace | None:
        """The Python environment that pip works in; None when there is none. Raises ConfigError."""
        from penstock.config.places import resolve
        from penstock.environment.installers.python_place import find_python
        from penstock.process.environment import child_environment, own_bin_directories

        stated = self.aim_settings.environment.pip_environment
        folder = stated and resolve(self.root, stated, "environment.pipEnvironment of aim_config")
        env = child_environment(path_without=own_bin_directories())
        return find_python(self.root, folder or None, os.environ, env)

    def _registry_tools(self) -> Mapping[str, RegistryTool]:
        """Return the tools of the registry; none where there is no registry."""
        from penstock.errors import AIMRegistryNotFoundError

        try:
            return self.registry.tools
        except AIMRegistryNotFoundError:
            return {}

    def _pinned_in_registry(self) -> dict[str, str]:
        tools = self._registry_tools().items()
        return {name: tool.pinned_version for name, tool in tools if tool.pinned_version}

    def _tool_inventory(self, names: Sequence[str]) -> Inventory:
        """Return the versions that programs have; one that the registry does not know is looked for by
        its name."""
        from penstock.environment.api import Inventory, Manager, Package
        from penstock.registry.api import RegistryTool
        from penstock.registry.detect import detect_all

        known = self._registry_tools()
        tools = [
            known.get(name)
            or RegistryTool(tool_id=name, name=name, detect_commands=((name, "--version"),))
            for name in names
        ]
        found = detect_all(tools).values()
        return Inventory(
            manager=Manager.TOOLS,
            packages={
                tool.tool_id: Package(
                    name=tool.tool_id,
                    version=tool.version or "",
                    manager=Manager.TOOLS,
                    place=tool.path,
                )
                for tool in found
                if tool.path is not None
            },
        )

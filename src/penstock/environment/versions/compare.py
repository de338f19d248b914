"""What is pinned beside what is installed: the version report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from penstock.environment.api import (
    Inventory,
    Manager,
    Package,
    ToolVersion,
    VersionStatus,
)
from penstock.environment.versions.names import is_name, normalised
from penstock.environment.versions.pins import PinError, parse_pin

COMES_ALONG: Mapping[Manager, frozenset[str]] = {
    Manager.NPM: frozenset({"npm", "corepack"}),
    Manager.PIP: frozenset({"pip", "setuptools", "wheel"}),
}
"""What comes with the manager or its language: nobody pins it, and it surprises nobody."""


class Wanted(NamedTuple):
    """A package that shall be there; `pin` None = in any version."""

    manager: Manager
    name: str
    pin: str | None = None


def compare(wanted: Iterable[Wanted], inventory: Inventory) -> Iterator[ToolVersion]:
    """Yield how each package that one manager shall have stands, then what it has beyond them.

    `wanted` are those of that manager alone. What came along with another package is no surprise.
    """
    manager = inventory.manager
    named = set(COMES_ALONG.get(manager, ()))
    for one in wanted:
        named.add(normalised(manager, one.name))
        yield _judged(one, inventory)
    for key, package in sorted(inventory.packages.items()):
        if key not in named and package.requested:
            yield _tool(
                Wanted(manager, package.name), VersionStatus.UNEXPECTED, package, "is not pinned"
            )


def _judged(wanted: Wanted, inventory: Inventory) -> ToolVersion:
    manager = inventory.manager
    if not is_name(manager, wanted.name):
        return _tool(
            wanted, VersionStatus.UNKNOWN, None, f"is no name of a package for {manager.value}"
        )
    package = inventory.packages.get(normalised(manager, wanted.name))
    if package is None and inventory.problem is not None:
        return _tool(wanted, VersionStatus.UNKNOWN, None, inventory.problem)
    if package is None:
        return _tool(wanted, VersionStatus.MISSING)
    return _held(wanted, package)


def _held(wanted: Wanted, package: Package) -> ToolVersion:
    """Hold the version of a package against its pin; "" is one that would not say."""
    if not package.version:
        return _tool(wanted, VersionStatus.UNKNOWN, detail=f"{package.place} names no version")
    if wanted.pin is None:
        return _tool(wanted, VersionStatus.OK, package)
    try:
        agrees = parse_pin(wanted.manager, wanted.pin).holds(package.version)
    except PinError as error:
        return _tool(wanted, VersionStatus.UNKNOWN, package, f"the pin {error}")
    if agrees is None:
        detail = f"{package.version} cannot be compared with the pin"
        return _tool(wanted, VersionStatus.UNKNOWN, package, detail)
    return _tool(wanted, VersionStatus.OK if agrees else VersionStatus.DRIFT, package)


def _tool(
    wanted: Wanted,
    status: VersionStatus,
    package: Package | None = None,
    detail: str | None = None,
) -> ToolVersion:
    return ToolVersion(
        tool=wanted.name,
        manager=wanted.manager,
        pinned=wanted.pin,
        installed=None if package is None else package.version,
        status=status,
        detail=detail,
    )

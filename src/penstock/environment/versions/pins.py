"""A pin: one version or a range of them, in the words of the manager it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from penstock.environment.api import Manager
from penstock.environment.versions.semver import Range, parse_range, parse_version

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

ANY = frozenset({"*", "latest", "any", "x"})
PYTHON = frozenset({Manager.PIP, Manager.PIPX, Manager.UV})
_PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]*(?:\.\*)?")


class PinError(ValueError):
    """A pin is neither a version nor a range; the text says why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What a package shall be. `exact` is set when it can be one version only.

    `specifiers` are those of PEP 440, `interval` is npm's; neither means any version.
    """

    text: str
    exact: bool = False
    specifiers: SpecifierSet | None = None
    interval: Range | None = None

    @property
    def any(self) -> bool:
        """Tell whether every version will do."""
        return self.specifiers is None and self.interval is None

    def holds(self, installed: str) -> bool | None:
        """Tell whether a version agrees with the pin; None when they cannot be compared."""
        if self.any or installed == self.text:
            return True
        if self.specifiers is not None:
            return _within(installed, self.specifiers)
        version = parse_version(installed) or parse_version(_three_numbers(installed))
        return None if version is None or self.interval is None else self.interval.holds(version)

    def requirement(self, name: str) -> str:
        """Return what the manager is asked for: `name==1.2.3`, `name@^1.2`, or the name alone."""
        if self.specifiers is not None:
            return f"{name}{self.specifiers}"
        return name if self.any else f"{name}@{self.text}"


def parse_pin(manager: Manager, text: str) -> Pin:
    """Return a pin as the manager means it. Raises PinError.

    Specifiers of PEP 440 for pip, pipx and uv (a bare version is an exact one), ranges of npm for npm,
    versions for winget, and for tools either of the first two.
    """
    plain = text.strip()
    if not plain:
        raise PinError("is empty")
    if plain.lower() in ANY:
        return Pin(plain)
    if manager in PYTHON:
        return _python_pin(plain)
    if manager is Manager.NPM:
        return _npm_pin(plain)
    return _either(plain, exact_only=manager is Manager.WINGET)


def exact_pin(manager: Manager, version: str) -> Pin:
    """Return the pin of a version that is or was installed, however odd it is."""
    try:
        return parse_pin(manager, version)
    except PinError:
        pass
    if manager not in PYTHON:
        return Pin(version, exact=True, interval=Range(()))
    try:
        return replace(_python_pin(f"==={version}"), text=version)
    except PinError:
        return Pin(version)


def _python_pin(text: str) -> Pin:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifiers = SpecifierSet(f"=={text}" if _PLAIN.fullmatch(text) else text)
    except InvalidSpecifier as error:
        raise PinError(
            f"{text!r} is no version and no range (such as 1.2.3 or >=1.2,<2)"
        ) from error
    kinds = {specifier.operator for specifier in specifiers}
    exact = bool(kinds & {"==", "==="}) and not any(s.version.endswith(".*") for s in specifiers)
    return Pin(text, exact=exact, specifiers=specifiers)


def _npm_pin(text: str) -> Pin:
    interval = parse_range(text)
    if interval is None:
        raise PinError(f"{text!r} is no version and no range of npm (such as 1.2.3 or ^1.2)")
    return Pin(text, exact=parse_version(text.lstrip("=v ")) is not None, interval=interval)


def _either(text: str, *, exact_only: bool) -> Pin:
    """Return the pin of a program: the numbering is its own, so that both grammars are tried."""
    if exact_only and not _PLAIN.fullmatch(text):
        raise PinError(f"{text!r} is no version: winget takes exact ones only")
    try:
        return _python_pin(text)
    except PinError:
        return _npm_pin(text)


def _three_numbers(version: str) -> str:
    """Return a version of a program, such as `1.4`, with the numbers that npm's have."""
    plain = version.removeprefix("v")
    numbers = re.split(r"[-+]", plain, maxsplit=1)[0]
    return ".".join([*numbers.split("."), "0", "0"][:3]) + plain[len(numbers) :]


def _within(installed: str, specifiers: SpecifierSet) -> bool | None:
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(installed)
    except InvalidVersion:
        return None
    return specifiers.contains(version, prereleases=True)

"""The configuration of AIM looked at, and brought over from AI_MANGER.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.config.survey import Fault, Survey, Verdict


class Migrating(Surroundings):
    """What can be done with aim_config as a whole."""

    def survey_config(self) -> Survey:
        """Return every setting of aim_config with its origin. Raises ConfigError for a wrong file."""
        from msgspec import structs

        from penstock.masking import redactor
        from penstock.registry.survey import survey_config

        mask = redactor().text
        found = survey_config(self.root, os.environ)
        settings = tuple(structs.replace(s, value=_masked(s.value, mask)) for s in found.settings)
        return structs.replace(found, settings=settings)

    def check_config(self, file: str | None = None) -> Verdict:
        """Return everything that is wrong with aim_config, and with the registry and rules it leads to;
        or what the schema says of `file` alone, named from where we stand."""
        from msgspec import structs

        from penstock.registry.survey import check_config, check_file

        if file is not None:
            return check_file(self.start / file, self.start)
        found = check_config(self.root, os.environ, lambda: self.toolbox.ids())
        if not found.ok:
            return found
        return structs.replace(found, errors=tuple(self._pin_faults()))

    def _pin_faults(self) -> Iterator[Fault]:
        """Yield the pins that are neither versions nor ranges in the words of their manager."""
        from penstock.config.survey import fault
        from penstock.environment.api import Manager
        from penstock.environment.versions.pins import PinError, parse_pin
        from penstock.registry.settings import load_config

        config = load_config(self.root, os.environ)
        for manager, pins in config.settings.environment.version_pins.by_manager().items():
            for name, pin in pins.items():
                try:
                    parse_pin(Manager(manager), pin)
                except PinError as error:
                    path = ("environment", "versionPins", manager, name)
                    document = config.overlay
                    if document is not None:
                        yield fault(document.shown, document.problem(path, str(error)))

    def config_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of aim_config."""
        from penstock.registry.schemas import aim_schema

        return aim_schema("aim_config")


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a setting's value for people: somebody may have written a key into a command."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, (list, tuple)):
        return [_masked(item, mask) for item in value]
    if isinstance(value, dict):
        return {key: _masked(inner, mask) for key, inner in value.items()}
    return value

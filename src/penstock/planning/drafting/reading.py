"""What a bundle remembers of the files that its source was read from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from penstock.planning.sources.api import PlanSource, Unit


class Reading:
    """The files of one source, and which units each of them is about.

    An epic has a file for each task: a bundle with the hashes of all of them would make a plan grow
    with the square of its tasks.
    """

    def __init__(self, source: PlanSource) -> None:
        self._files = dict(sorted(source.files.items()))
        self._of_unit = {unit.key: dict.fromkeys(_names(unit)) for unit in source.units}
        owned = {name for names in self._of_unit.values() for name in names}
        self._shared = [name for name in self._files if name not in owned]
        plain = "".join(f"{name}\0{digest}\0" for name, digest in self._files.items())
        self.version = hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()

    def files(self, units: Iterable[Unit]) -> dict[str, str]:
        """Return the hashes of the files that some units are in, and of those that no unit is in."""
        names = {name for unit in units for name in self._of_unit[unit.key]}
        names.update(self._shared)
        return {name: self._files[name] for name in sorted(names) if name in self._files}


def _names(unit: Unit) -> Iterator[str]:
    yield unit.place.file
    yield from (item.place.file for item in unit.items)
    yield from (passage.place.file for passage in unit.passages)
    for stated in (*unit.paths, *unit.forbidden, *(path for i in unit.items for path in i.paths)):
        yield stated.place.file

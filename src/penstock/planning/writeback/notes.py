"""What is gathered while a plan is being written back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.planning.sources.api import TracedItem
from penstock.planning.writeback.api import Edit, Lost, Written


@dataclass
class Notes:
    """What is found out about the items of a batch; see `Written`."""

    files: dict[str, bytes] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    already: list[TracedItem] = field(default_factory=list)
    unmarked: list[TracedItem] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    def lose(self, items: Iterable[TracedItem], why: str) -> None:
        """Note items that are not to be found any more."""
        self.lost += [Lost(item=item, why=why) for item in items]

    def written(self) -> Written:
        """Return all of it."""
        return Written(
            files=self.files,
            edits=tuple(self.edits),
            already=tuple(self.already),
            unmarked=tuple(self.unmarked),
            lost=tuple(self.lost),
        )

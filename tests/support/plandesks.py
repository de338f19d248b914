"""Plans in memory, and what becomes of them when results are written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.planning.sources.api import Dialect, Place, TracedItem
from penstock.planning.writeback.api import Batch, Report, Standing, Written
from penstock.planning.writeback.writing import write_back

MOMENT = "2026-02-03T04:05:06Z"


class Files:
    """Files by name, as a desk."""

    def __init__(self, held: Mapping[str, bytes | str]) -> None:
        self.held = {n: c.encode() if isinstance(c, str) else c for n, c in held.items()}

    def read(self, name: str) -> bytes | None:
        """Return what a file holds."""
        return self.held.get(name)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of the files below a folder."""
        return sorted(name for name in self.held if name.startswith(f"{folder}/"))


def item(
    text: str,
    line: int = 1,
    *,
    label: str | None = None,
    file: str = "tasks.md",
    key: str | None = None,
) -> TracedItem:
    """An item as a bundle remembers it."""
    return TracedItem(
        key=key or label or text, label=label, text=text, place=Place(file, line), raw_state=" "
    )


def back(
    dialect: Dialect,
    files: Mapping[str, bytes | str],
    *items: TracedItem,
    standing: Standing = Standing.DONE,
    unchanged: bool = False,
    tag: str | None = None,
    elsewhere: frozenset[str] = frozenset(),
) -> Written:
    """Write results back into files."""
    reports = tuple(Report(item=one, standing=standing, moment=MOMENT) for one in items)
    batch = Batch(
        dialect=dialect,
        id="plan",
        path="plan",
        tag=tag,
        reports=reports,
        elsewhere=elsewhere,
        unchanged=frozenset(files) if unchanged else frozenset(),
    )
    return write_back(batch, Files(files))

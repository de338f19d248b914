"""Paths that a person has given, where the source names none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from penstock.planning.sources.api import Item, PlanSource, StatedPath, Use

FIELD = "answer"
"""What stands for the field that stated a path, where a person was asked."""


def with_paths(
    sources: Sequence[PlanSource],
    answers: Mapping[tuple[str, str], Sequence[str]],
    files: Collection[str],
) -> tuple[PlanSource, ...]:
    """Return sources whose items state the paths that were given for them.

    `answers` holds paths by plan id of the source and key of the item; a path that is neither one of
    `files` nor a folder of theirs is to be made.
    """
    folders = {f"{parent}/" for name in files for parent in _parents(name)}
    known = {*files, *folders, *(folder.rstrip("/") for folder in folders)}

    def filled(source: PlanSource, item: Item) -> Item:
        given = answers.get((source.plan_id, item.key), ())
        paths = tuple(_stated(path, item, known) for path in given)
        return replace(item, paths=(*item.paths, *paths)) if paths else item

    return tuple(
        replace(
            source,
            units=tuple(
                replace(unit, items=tuple(filled(source, item) for item in unit.items))
                for unit in source.units
            ),
        )
        for source in sources
    )


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _stated(path: str, item: Item, known: Collection[str]) -> StatedPath:
    plain = path.replace("\\", "/").removeprefix("./")
    glob = any(c in plain for c in "*?[")
    use = Use.MODIFY if glob or plain in known else Use.CREATE
    return StatedPath(path=plain, use=use, place=item.place, field=FIELD)

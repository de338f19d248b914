"""The order that plugins run in: each after those that it requires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def in_order(requires: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids in a topological order that keeps to the given one where it can, and cycles.

    Requirements that nobody has are left out of account. The members of a cycle stand where the
    first of them does, in the given order; each cycle is told as `a -> b -> a`.
    Source of the algorithm: Tarjan, "Depth-first search and linear graph algorithms" (1972).
    """
    components = _Components({k: [r for r in v if r in requires] for k, v in requires.items()})
    place = {name: index for index, name in enumerate(requires)}
    ordered: list[str] = []
    cycles: list[str] = []
    for members in components.found:
        members.sort(key=place.__getitem__)
        ordered += members
        if len(members) > 1 or members[0] in requires[members[0]]:
            cycles.append(" -> ".join((*members, members[0])))
    return tuple(ordered), tuple(cycles)


class _Components:
    """The strongly connected components, each after those that it points to."""

    def __init__(self, graph: Mapping[str, Sequence[str]]) -> None:
        self.found: list[list[str]] = []
        self._graph = graph
        self._index: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._stack: list[str] = []
        for name in graph:
            if name not in self._index:
                self._visit(name)

    def _visit(self, root: str) -> None:
        """Walk from a name without recursion: a chain of requirements may be long."""
        walk = [(root, iter(self._enter(root)))]
        while walk:
            name, rest = walk[-1]
            following = next((other for other in rest if self._counts(name, other)), None)
            if following is not None:
                walk.append((following, iter(self._enter(following))))
                continue
            walk.pop()
            if walk:
                above = walk[-1][0]
                self._low[above] = min(self._low[above], self._low[name])
            if self._low[name] == self._index[name]:
                self._leave(name)

    def _enter(self, name: str) -> Sequence[str]:
        self._index[name] = self._low[name] = len(self._index)
        self._stack.append(name)
        return self._graph[name]

    def _counts(self, name: str, other: str) -> bool:
        """Tell whether to walk on to `other`; note how far back it reaches if it was seen."""
        if other not in self._index:
            return True
        if other in self._stack:
            self._low[name] = min(self._low[name], self._index[other])
        return False

    def _leave(self, name: str) -> None:
        at = self._stack.index(name)
        self.found.append(self._stack[at:])
        del self._stack[at:]

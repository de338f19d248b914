"""Graphs asked the simple way, to hold clever answers against."""

from __future__ import annotations

Graph = dict[str, list[str]]


def reaches(graph: Graph, start: str) -> set[str]:
    """All nodes that one or more edges lead to."""
    seen: set[str] = set()
    stack = [start]
    while stack:
        for node in graph[stack.pop()]:
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return seen

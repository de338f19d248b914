"""Readers of DOT and Mermaid, strict ones: what they do not know is an error."""

from __future__ import annotations

import re

# Graphviz's grammar, as far as an ordinary program writes it: an id is a name, a number or quoted.
DOT_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_]\w*)|(-?\d+)|(->|[{}\[\];,=]))')
QUOTED = r'"[^"#;`<>&\\]*(?:#\d+;[^"#;`<>&\\]*)*"'
MERMAID_LINES = (
    r"flowchart (LR|TD)",
    rf"subgraph (?P<gate>\w+)\[{QUOTED}\]",
    r"end",
    rf"(?P<node>n\d+)\[(?P<label>{QUOTED})\]",
    r"(?P<source>n\d+) (?P<arrow>-->|==>) (?P<target>n\d+)",
    rf"n\d+ -\. (?P<why>{QUOTED}) \.- n\d+",
    r"classDef \w+ [\w:#,-]+",
    r"class n\d+(,n\d+)* (?P<style>\w+)",
)


def dot_tokens(text: str) -> list[str]:
    """Cut DOT into tokens. Raises ValueError for what is none."""
    found, at = [], 0
    while text[at:].strip():
        match = DOT_TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not DOT: {text[at : at + 40]!r}")
        found.append(match[0].strip())
        at = match.end()
    return found


class DotReader:
    """Reads one graph: `nodes` and `edges` with their attributes, `clusters` with their members.

    Raises ValueError when it is not DOT.
    """

    def __init__(self, text: str) -> None:
        self.nodes: dict[str, dict[str, str]] = {}
        self.edges: list[tuple[str, str, dict[str, str]]] = []
        self.clusters: dict[str, list[str]] = {}
        self._tokens = dot_tokens(text)
        self._expect("digraph")
        self._name()
        self._block(None)
        if self._tokens:
            raise ValueError(f"more after the end: {self._tokens[:5]}")

    def _take(self) -> str:
        if not self._tokens:
            raise ValueError("the graph does not end")
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if (found := self._take()) != token:
            raise ValueError(f"{found!r} where {token!r} belongs")

    def _name(self) -> str:
        token = self._take()
        if token[0] == '"':
            return re.sub(r'\\([\\"])', r"\1", token[1:-1])
        if not re.fullmatch(r"\w+|-?\d+", token):
            raise ValueError(f"{token!r} is no id")
        return token

    def _block(self, cluster: str | None) -> None:
        self._expect("{")
        while self._tokens[:1] != ["}"]:
            self._statement(cluster)
        self._take()

    def _statement(self, cluster: str | None) -> None:
        first = self._name()
        if first == "subgraph":
            name = self._name()
            self.clusters[name] = []
            self._block(name)
            return
        following = self._tokens[:1]
        if following == ["="]:
            self._take()
            self._name()
        elif following == ["->"]:
            self._take()
            target = self._name()
            self.edges.append((first, target, self._attributes()))
        elif first in ("node", "edge", "graph"):
            self._attributes()
        else:
            self.nodes[first] = self._attributes()
            if cluster is not None:
                self.clusters[cluster].append(first)
        self._expect(";")

    def _attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self._tokens[:1] != ["["]:
            return found
        self._take()
        while self._tokens[:1] != ["]"]:
            name = self._name()
            self._expect("=")
            found[name] = self._name()
            if self._tokens[:1] == [","]:
                self._take()
        self._take()
        return found


def read_mermaid(text: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the nodes (id: label) and the arrows (from, arrow, to) of a flowchart, entities read.

    Raises ValueError for a line that is none, for a subgraph without end, for an unknown node.
    """
    nodes: dict[str, str] = {}
    arrows: list[tuple[str, str, str]] = []
    depth = 0
    for line in map(str.strip, text.splitlines()):
        match = next((m for m in (re.fullmatch(p, line) for p in MERMAID_LINES) if m), None)
        if match is None:
            raise ValueError(f"not Mermaid: {line!r}")
        found = match.groupdict()
        depth += line.startswith("subgraph")
        depth -= line == "end"
        if found.get("node"):
            nodes[found["node"]] = _entities(found["label"][1:-1])
        if found.get("arrow"):
            arrows.append((nodes[found["source"]], found["arrow"], nodes[found["target"]]))
    if depth:
        raise ValueError("a subgraph does not end")
    return nodes, arrows


def _entities(text: str) -> str:
    return re.sub(r"#(\d+);", lambda m: chr(int(m[1])), text)

"""The graph of workstreams as text, as a Mermaid flowchart and in Graphviz's DOT."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from penstock.cli.words import duration, one_line, plural
from penstock.schedule.picture import Node, Picture, Serial

# More says nothing to a reader; the JSON has all.
NAMES_SHOWN = 40
SERIAL_SHOWN = 20
PAIRS_DRAWN = 100
KINDS = {
    "gate": "gates",
    "alone": "parallel_ok false",
    "group": "conflict groups",
    "overlap": "overlaps",
    "tool": "limits of tools",
    "capability": "limits of capabilities",
}
# What a Mermaid label may not hold as it is, as its entities.
MERMAID = {ord(c): f"#{ord(c)};" for c in '"#;`<>&\\'}
MERMAID_STATES = ("done", "failed")


def text_graph(title: str, picture: Picture, width: int) -> str:
    """Return the graph as lines of at most `width` columns, but for ids that are longer."""
    if not picture.nodes:
        return f"{title}: no workstreams\n"
    sizes = (
        plural(len(picture.nodes), "workstream"),
        plural(len(picture.waves), "wave"),
        plural(picture.slots, "slot"),
    )
    lines = [
        f"{title}: {', '.join(sizes)}",
        "",
        *_waves(picture, width),
        "",
        *_folded("Critical path: ", " -> ".join(picture.critical_path), width),
        *_times(picture, width),
        "",
        *_serial(picture, width),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _waves(picture: Picture, width: int) -> Iterator[str]:
    """Yield the waves, what is on the critical path with a star."""
    nodes = {node.ws_id: node for node in picture.nodes}
    size = len(str(len(picture.waves)))
    gates = {node.gate for node in picture.nodes}
    gate = None
    for number, wave in enumerate(picture.waves, 1):
        if len(gates) > 1 and nodes[wave[0]].gate != gate:
            gate = nodes[wave[0]].gate
            yield f"Gate {gate}"
        names = [_name(nodes[ws]) for ws in wave[:NAMES_SHOWN]]
        more = f" and {len(wave) - NAMES_SHOWN} more" if len(wave) > NAMES_SHOWN else ""
        yield from _folded(f"  {number:>{size}}  ", ", ".join(names) + more, width)
    yield "  * on the critical path"


def _name(node: Node) -> str:
    state = f" ({node.status})" if node.status not in (None, "pending") else ""
    return f"{node.ws_id}{'*' if node.critical else ''}{state}"


def _times(picture: Picture, width: int) -> Iterator[str]:
    """Yield how long it takes, and what it gains."""
    if picture.unit == "seconds":
        times = (picture.critical_length, picture.work, picture.length, picture.lower_bound)
        path, work, length, bound = map(duration, times)
        text = (
            f"{length} on {plural(picture.slots, 'slot')} instead of {work} one after the other: "
            f"{picture.speedup:g} times as fast. The critical path takes {path}, so it is "
            f"{picture.max_speedup:g} times at most; no order is faster than {bound} on these slots."
        )
    else:
        text = (
            f"{picture.speedup:g} times as fast on {plural(picture.slots, 'slot')} as one after the "
            f"other, {picture.max_speedup:g} times at most with more, if all take equally long "
            f"(the journal knows no times of theirs): {picture.critical_length:g} in a row of "
            f"{picture.work:g}."
        )
    yield from _folded("Expected: ", text, width)


def _serial(picture: Picture, width: int) -> Iterator[str]:
    """Yield what serialises and why, each kind with what it costs."""
    if not picture.serial:
        yield "Nothing but dependencies and slots holds anything up."
        return
    yield "What serialises beside dependencies:"
    for kind, title in KINDS.items():
        found = [serial for serial in picture.serial if serial.kind == kind]
        if not found:
            continue
        yield f"  {title}: {_cost(picture, kind)}"
        for serial in found[:SERIAL_SHOWN]:
            yield from _folded("    ", _because(serial), width)
        if len(found) > SERIAL_SHOWN:
            yield f"    and {len(found) - SERIAL_SHOWN} more"


def _cost(picture: Picture, kind: str) -> str:
    cost = picture.costs.get(kind, 0.0)
    if not cost:
        return "cost no time as things are"
    if picture.unit == "seconds":
        return f"cost {duration(cost)} of {duration(picture.length)}"
    return f"cost {cost:g} of {picture.length:g} in a row"


def _because(serial: Serial) -> str:
    who, what = _some(serial.workstreams), one_line(serial.what)
    if serial.kind == "gate":
        return f"gate {what} ({who}) waits for all of the gates before"
    if serial.kind == "alone":
        return f"{who} runs alone"
    if serial.kind == "group":
        return f"group {what}: one at a time of {who}"
    if serial.kind == "overlap":
        return f"{' and '.join(serial.workstreams)}: both claim {what}"
    return f"{what}: {who}"


def _some(names: Sequence[str], shown: int = 8) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _folded(head: str, text: str, width: int) -> list[str]:
    """Fold a text into lines, the later ones below its beginning; words are not broken."""
    return textwrap.wrap(
        text,
        width=max(width, len(head) + 20),
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def mermaid_graph(picture: Picture) -> str:
    """Return the graph as a Mermaid flowchart: the critical path thick, what serialises dotted."""
    numbers = {node.ws_id: f"n{at}" for at, node in enumerate(picture.nodes)}
    lines = ["flowchart LR"]
    for gate, nodes in _by_gate(picture):
        lines.append(f'  subgraph gate{gate}["gate {gate}"]')
        lines += [f'    {numbers[n.ws_id]}["{_label(_caption(n, picture))}"]' for n in nodes]
        lines.append("  end")
    for source, target, critical in _edges(picture):
        lines.append(f"  {numbers[source]} {'==>' if critical else '-->'} {numbers[target]}")
    for a, b, why in _pairs(picture):
        lines.append(f'  {numbers[a]} -. "{_label(why)}" .- {numbers[b]}')
    lines.append("  classDef critical stroke-width:3px")
    lines.append("  classDef done fill:#cfc")
    lines.append("  classDef failed fill:#fcc")
    lines += _classes(picture, numbers)
    return "\n".join(lines) + "\n"


def _classes(picture: Picture, numbers: Mapping[str, str]) -> Iterator[str]:
    critical = [numbers[node.ws_id] for node in picture.nodes if node.critical]
    if critical:
        yield f"  class {','.join(critical)} critical"
    for state in MERMAID_STATES:
        found = [numbers[node.ws_id] for node in picture.nodes if node.status == state]
        if found:
            yield f"  class {','.join(found)} {state}"


def _label(text: str) -> str:
    return one_line(text).translate(MERMAID)


def dot_graph(picture: Picture) -> str:
    """Return the graph in DOT: the critical path bold, what serialises dashed."""
    lines = ["digraph penstock {", "  rankdir=LR;", '  node [shape=box, style="rounded"];']
    for gate, nodes in _by_gate(picture):
        lines += [f'  subgraph "cluster_{gate}" {{', f'    label="gate {gate}";']
        lines += [f"    {_quoted(n.ws_id)} [{_node_style(n, picture)}];" for n in nodes]
        lines.append("  }")
    for source, target, critical in _edges(picture):
        bold = ' [style="bold"]' if critical else ""
        lines.append(f"  {_quoted(source)} -> {_quoted(target)}{bold};")
    for a, b, why in _pairs(picture):
        style = f'label={_quoted(why)}, dir="none", style="dashed", constraint="false"'
        lines.append(f"  {_quoted(a)} -> {_quoted(b)} [{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _node_style(node: Node, picture: Picture) -> str:
    style = "rounded,bold" if node.critical else "rounded"
    return f'label={_quoted(_caption(node, picture))}, style="{style}"'


def _quoted(text: str) -> str:
    """Return a text as a quoted DOT id; a backslash is written as two, so that none escapes."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _caption(node: Node, picture: Picture) -> str:
    parts = [node.ws_id]
    if node.status not in (None, "pending"):
        parts.append(str(node.status))
    if picture.unit == "seconds":
        parts.append(duration(node.duration))
    return " ".join(parts)


def _by_gate(picture: Picture) -> list[tuple[int, list[Node]]]:
    gates: dict[int, list[Node]] = {}
    for node in picture.nodes:
        gates.setdefault(node.gate, []).append(node)
    return sorted(gates.items())


def _edges(picture: Picture) -> Iterator[tuple[str, str, bool]]:
    """Yield the dependencies as (from, to, on the critical path)."""
    steps = set(pairwise(picture.critical_path))
    for node in picture.nodes:
        for parent in node.depends_on:
            yield parent, node.ws_id, (parent, node.ws_id) in steps


def _pairs(picture: Picture) -> Iterable[tuple[str, str, str]]:
    """Return the pairs to join because something keeps them apart; of a group, each and the next."""
    pairs: list[tuple[str, str, str]] = []
    for serial in picture.serial:
        if serial.kind in ("overlap", "group"):
            why = serial.what if serial.kind == "overlap" else f"group {serial.what}"
            names = serial.workstreams
            pairs += [(a, b, why) for a, b in pairwise(names)]
    return pairs[:PAIRS_DRAWN]

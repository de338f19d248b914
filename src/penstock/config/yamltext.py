"""YAML text to plain values, with the place of each key. Loaded only where there is a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from penstock.config.problems import Key, Mark, Problem, problem_at

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_READ = frozenset(
    _TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
)
_TAGS = {"null": "null", "bool": "true or false", "int": "a number", "float": "a number"}


class YamlProblem(Exception):  # noqa: N818 - becomes a ConfigError with the file's name
    """The text is not the YAML that is read here."""

    def __init__(self, problems: Iterable[Problem], hint: str | None = None) -> None:
        self.problems = tuple(problems)
        self.hint = hint
        super().__init__("; ".join(map(str, self.problems)))


def read_yaml(text: str, *, max_depth: int) -> tuple[Any, dict[Key, Mark]]:
    """Return the value and the place of every key path. Raises YamlProblem."""
    loader = None
    try:
        _guard(text, max_depth)
        loader = _LOADER(text)
        node = loader.get_single_node()
        return _Builder(loader).build(node)
    except yaml.YAMLError as error:
        raise _problem(error, text) from error
    finally:
        if loader is not None:
            loader.dispose()


def _guard(text: str, max_depth: int) -> None:
    """Refuse aliases and depth while they are only events: composing would recurse."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark = _mark(event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            unread = problem_at(mark, f"aliases (*{event.anchor}) are not read")
            raise YamlProblem([unread], _ALIAS_HINT)
        if depth > max_depth:
            raise YamlProblem([problem_at(mark, "is nested too deeply")])


_ALIAS_HINT = "write the value out in each place; quote it when it is text that begins with *"


def _mark(mark: Any) -> Mark | None:
    """Return a mark of the parser (from 0) as ours (from 1)."""
    return None if mark is None else Mark(mark.line + 1, mark.column + 1)


def _problem(error: yaml.YAMLError, text: str) -> YamlProblem:
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a character that YAML does not allow at all
        at = getattr(error, "position", 0)
        line = text.count("\n", 0, at) + 1
        wrong = Problem(text="holds a character that YAML does not allow", line=line)
        return YamlProblem([wrong])
    what = str(getattr(error, "problem", "") or "cannot be parsed")
    here = text.splitlines()[mark.line : mark.line + 1]
    tabs = any("\t" in line[: len(line) - len(line.lstrip())] for line in here)
    hint = "indent with spaces, never with tabs" if tabs else None
    return YamlProblem([problem_at(_mark(mark), what)], hint)


class _Builder:
    """Builds values from nodes, collecting every problem on the way."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._problems: list[Problem] = []
        self._marks: dict[Key, Mark] = {}

    def build(self, node: yaml.Node | None) -> tuple[Any, dict[Key, Mark]]:
        value = None if node is None else self._value(node, ())
        if self._problems:
            raise YamlProblem(self._problems)
        return value, self._marks

    def _value(self, node: yaml.Node, path: Key) -> Any:
        self._marks.setdefault(path, _at(node))
        if node.tag not in _READ:
            self._note(node, f"the tag {node.tag.replace(_TAG, '!!')} is not read")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, at)) for at, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Key) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in made:
                self._note(key_node, f"{key} is given twice")
            self._marks[(*path, key)] = _at(key_node)
            made[key] = self._value(value_node, (*path, key))
        return made

    def _key(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "str":
            return str(node.value)
        if isinstance(node, yaml.ScalarNode):
            kind = _TAGS.get(node.tag.removeprefix(_TAG), "no text")
            self._note(node, f"the key {node.value!r} means {kind} in YAML: put it in quotes")
        else:
            self._note(node, "a key must be text")
        return None

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag == _TAG + "timestamp":
            return str(node.value)
        try:
            return self._loader.construct_object(node)
        except ValueError:
            self._note(node, f"{str(node.value)[:40]!r} is not a number")
            return None

    def _note(self, node: yaml.Node, problem: str) -> None:
        self._problems.append(problem_at(_at(node), problem))


def _at(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)

"""The rules over bundles: each on its own, and all of them together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec
from jsonschema_rs import Draft7Validator, ValidationError

from penstock.model.bundle import Bundle
from penstock.planning.api import (
    CYCLES,
    DEFAULT_CAPABILITIES,
    DUPLICATE_ID,
    MISSING_REFERENCES,
    OVERLAPS,
    BundleProblem,
    ProblemType,
)
from penstock.planning.explain import close, explain, found, shown
from penstock.planning.parse import Flaw, JsonPath, json_path, size
from penstock.planning.schema import PATH_FIELDS, Schema, bundle_schema
from penstock.schedule.conflicts import Overlap, simultaneous_overlaps
from penstock.schedule.graph import build_dependency_graph, cycle_text, find_cycles
from penstock.schedule.scope import normalise
from penstock.typed import typed

# More than this many of a kind say no more; the rest shows once these are mended.
LIMIT: Final = 1000
# The validator makes all errors of a value at once; of one larger than this it tells the first.
MAX_VALUES: Final = 100_000
# How many ids may be compared with misspelt ones, all hints together.
HINT_BUDGET: Final = 200_000


class Entry(msgspec.Struct, frozen=True):
    """One value of a file that should be a bundle; `at` is its index if the file holds a list.

    `flaws` are what the text was found to hold, with paths inside the entry.
    """

    file: str
    at: int | None
    value: Any
    flaws: tuple[Flaw, ...] = ()

    @property
    def id(self) -> str | None:
        """The id it claims to have."""
        ws_id = self.value.get("id") if isinstance(self.value, dict) else None
        return ws_id if isinstance(ws_id, str) else None

    def problem(self, kind: ProblemType, path: JsonPath | None, details: str) -> BundleProblem:
        """A problem at a place within the entry."""
        full = path if path is None or self.at is None else (self.at, *path)
        where = None if full is None else json_path(full, in_list=self.at is not None)
        return BundleProblem(type=kind, file=self.file, id=self.id, path=where, details=details)


class Checked(msgspec.Struct, frozen=True):
    """What checking one entry gave; `bundle` is None when there are problems."""

    entry: Entry
    bundle: Bundle | None
    unknown: tuple[BundleProblem, ...] = ()
    schema: tuple[BundleProblem, ...] = ()


@cache
def _validator() -> tuple[Draft7Validator, Schema]:
    """The compiled schema, once in a process."""
    schema = bundle_schema()
    return Draft7Validator(schema), schema


def check_entry(
    entry: Entry, capabilities: Collection[str] = DEFAULT_CAPABILITIES, *, explained: bool = True
) -> Checked:
    """Check one entry against the schema and the rules for its texts.

    Without `explained`, only whether it is a bundle is told.
    """
    validator, _ = _validator()
    is_valid = not entry.flaws and validator.is_valid(entry.value)
    if not (is_valid or explained):
        return Checked(entry, None)
    if not isinstance(entry.value, dict):
        details = f"expected an object (a bundle), found {found(entry.value)}"
        return Checked(entry, None, schema=(entry.problem(ProblemType.SCHEMA, (), details),))
    if is_valid:
        bundle, problems = _convert(entry, capabilities)
        return Checked(entry, bundle, schema=problems)
    unknown, wrong = _schema_problems(entry)
    texts = tuple(islice(_text_problems(entry, capabilities), LIMIT))
    return Checked(entry, None, unknown=unknown, schema=(*wrong, *texts))


def _convert(
    entry: Entry, capabilities: Collection[str]
) -> tuple[Bundle | None, tuple[BundleProblem, ...]]:
    """Make the bundle of an entry that the schema accepts."""
    try:
        bundle = _with_plain_paths(typed(entry.value, Bundle))
    except msgspec.ValidationError as error:
        # The schema and the model are made of the same source; this is for what JSON Schema
        # cannot say about numbers, such as 1.5e300 for a whole one.
        return None, (entry.problem(ProblemType.SCHEMA, (), f"expected otherwise: {error}"),)
    except ValueError:
        return None, tuple(islice(_text_problems(entry, capabilities), LIMIT))
    if bundle.capability is not None and bundle.capability not in capabilities:
        return None, tuple(islice(_text_problems(entry, capabilities), LIMIT))
    return bundle, ()


def _with_plain_paths(bundle: Bundle) -> Bundle:
    """Return the bundle with its paths as they are compared: `/` only, no `./`."""
    plain = {name: tuple(map(normalise, getattr(bundle, name))) for name in PATH_FIELDS}
    changed: dict[str, Any] = {
        name: value for name, value in plain.items() if value != getattr(bundle, name)
    }
    payload = bundle.capability_payload
    if payload and payload.get("files"):
        changed["capability_payload"] = {**payload, "files": [*map(normalise, payload["files"])]}
    return msgspec.structs.replace(bundle, **changed) if changed else bundle


def _schema_problems(
    entry: Entry,
) -> tuple[tuple[BundleProblem, ...], tuple[BundleProblem, ...]]:
    """Return (unknown fields, everything else) of an entry that the schema refuses."""
    _, schema = _validator()
    unknown: list[BundleProblem] = []
    wrong = [entry.problem(ProblemType.SCHEMA, f.path, f.details) for f in entry.flaws]
    flawed = {flaw.path for flaw in entry.flaws}
    told = (pair for error in _violations(entry.value) for pair in explain(error, schema))
    for path, details in islice(told, LIMIT):
        if path not in flawed:
            target = unknown if details.startswith("unknown field") else wrong
            target.append(entry.problem(ProblemType.SCHEMA, path, details))
    return tuple(unknown), tuple(wrong)


def _violations(value: dict[str, Any]) -> Iterable[ValidationError]:
    """The errors of a value that the schema may refuse; of a huge one the first."""
    validator, _ = _validator()
    if size(value, MAX_VALUES) <= MAX_VALUES:
        return validator.iter_errors(value)
    try:
        validator.validate(value)
    except ValidationError as error:
        return (error,)
    return ()


def _text_problems(entry: Entry, capabilities: Collection[str]) -> Iterator[BundleProblem]:
    """Yield what is wrong with paths and with the capability's name."""
    for path, claims in _path_lists(entry.value):
        for at, claim in enumerate(claims if isinstance(claims, list) else ()):
            if isinstance(claim, str) and claim and (wrong := _path_problem(claim)):
                yield entry.problem(ProblemType.SCHEMA, (*path, at), wrong)
    name = entry.value.get("capability")
    if isinstance(name, str) and name and name not in capabilities:
        details = _capability_problem(name, capabilities)
        yield entry.problem(ProblemType.SCHEMA, ("capability",), details)


def _path_lists(value: dict[str, Any]) -> Iterator[tuple[JsonPath, Any]]:
    """Yield the places of a bundle where lists of paths belong, with what stands there."""
    for name in PATH_FIELDS:
        yield (name,), value.get(name)
    payload = value.get("capability_payload")
    if isinstance(payload, dict):
        yield ("capability_payload", "files"), payload.get("files")


def _capability_problem(name: str, capabilities: Collection[str]) -> str:
    """Say that a capability is unknown, and which are known."""
    near = close(name, capabilities)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown capability {shown(name)}; known are {', '.join(capabilities)}{hint}"


def _path_problem(claim: str) -> str | None:
    """Say what is wrong with a path, or return None."""
    try:
        normalise(claim)
    except ValueError as error:
        return f"the path {shown(claim)} is wrong: {error}"
    return None


def duplicate_problems(checked: Iterable[Checked]) -> Iterator[BundleProblem]:
    """Yield a problem for each bundle whose id another one has already."""
    first: dict[str, Entry] = {}
    for entry in (c.entry for c in checked):
        if entry.id is None:
            continue
        if (other := first.setdefault(entry.id, entry)) is not entry:
            place = other.file if other.at is None else f"{other.file} at [{other.at}]"
            details = f"{DUPLICATE_ID} {shown(entry.id)}, first used in {place}; rename one of them"
            yield entry.problem(ProblemType.SCHEMA, ("id",), details)


class Together:
    """The rules over a set of bundles: references, cycles, overlaps.

    `checked` are those to be judged, one for each id; `context` are further bundles that may be
    named in `depends_on`, and `known_ids` all ids that exist, also of bundles that are wrong.
    """

    def __init__(
        self, checked: Sequence[Checked], context: Sequence[Bundle], known_ids: Collection[str]
    ) -> None:
        self.entries = {c.bundle.id: c.entry for c in checked if c.bundle is not None}
        self.bundles = [c.bundle for c in checked if c.bundle is not None]
        self.context = [bundle for bundle in context if bundle.id not in self.entries]
        self.known_ids = frozenset(known_ids)
        self._hint_budget = HINT_BUDGET
        self.by_id: Mapping[str, Bundle] = {b.id: b for b in (*self.context, *self.bundles)}

    def problems(self) -> Iterator[BundleProblem]:
        """Yield all problems, references first, then cycles, then overlaps."""
        yield from islice(self.reference_problems(), LIMIT)
        yield from self.cycle_problems()
        yield from self.overlap_problems()

    def reference_problems(self) -> Iterator[BundleProblem]:
        """Yield a problem for each dependency that does not exist or could never be met."""
        for bundle in self.bundles:
            for at, parent in enumerate(bundle.depends_on):
                if (details := self._reference_problem(bundle, parent)) is not None:
                    entry = self.entries[bundle.id]
                    yield entry.problem(ProblemType.DEPENDENCY, ("depends_on", at), details)

    def _reference_problem(self, bundle: Bundle, parent: str) -> str | None:
        """Say what is wrong with one dependency, or return None."""
        if parent not in self.known_ids:
            hint = self._hint(bundle.id, parent)
            return f"{MISSING_REFERENCES}: {bundle.id} depends on {shown(parent)}; {hint}"
        other = self.by_id.get(parent)
        if other is not None and other.gate > bundle.gate:
            return (
                f"{bundle.id} (gate {bundle.gate}) depends on {parent} (gate {other.gate}), which "
                f"starts only when all of gate {bundle.gate} is done: neither could ever start; "
                f"raise the gate of {bundle.id} or lower that of {parent}"
            )
        return None

    def _hint(self, ws_id: str, parent: str) -> str:
        """What to do about a missing id; near ones are looked for while the budget lasts."""
        self._hint_budget -= len(self.known_ids)
        near = close(parent, self.known_ids - {ws_id}) if self._hint_budget >= 0 else []
        return f"did you mean '{near[0]}'?" if near else "add that bundle or remove the entry"

    def cycle_problems(self) -> Iterator[BundleProblem]:
        """Yield a problem for each cycle that one of the judged bundles is part of."""
        for cycle in find_cycles(build_dependency_graph(self.by_id.values())[1]):
            inside = [ws for ws in cycle if ws in self.entries]
            if inside:
                yield self._cycle_problem(cycle, inside[0])

    def _cycle_problem(self, cycle: Sequence[str], at: str) -> BundleProblem:
        """The problem that a cycle is, placed where one bundle names the next."""
        following = cycle[(cycle.index(at) + 1) % len(cycle)]
        place = self.by_id[at].depends_on.index(following)
        details = f"{CYCLES}: {cycle_text(cycle)}; remove one of these dependencies"
        return self.entries[at].problem(ProblemType.CYCLE, ("depends_on", place), details)

    def overlap_problems(self) -> Iterator[BundleProblem]:
        """Yield a problem for each pair that claims a path and could run at the same time."""
        for overlap in simultaneous_overlaps(self.bundles, LIMIT, around=self.context):
            yield self._overlap_problem(overlap)

    def _overlap_problem(self, overlap: Overlap) -> BundleProblem:
        """The problem that an overlap is, placed at the claim of the first bundle."""
        bundle, entry = self.by_id[overlap.a], self.entries[overlap.a]
        name = next(n for n in PATH_FIELDS if overlap.claim_a in getattr(bundle, n))
        place: JsonPath = (name, getattr(bundle, name).index(overlap.claim_a))
        details = (
            f"{OVERLAPS}: {overlap.a} claims {shown(overlap.claim_a)} and {overlap.b} claims "
            f"{shown(overlap.claim_b)}, and both could run at the same time; let one depend on the "
            "other, give both one conflict_group or different gates, or narrow a claim"
        )
        return entry.problem(ProblemType.OVERLAP, place, details)

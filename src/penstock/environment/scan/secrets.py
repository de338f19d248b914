"""Looking through texts for secrets: found, told by masks and keyed fingerprints, never by value."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import msgspec

from penstock.environment.scan.texts import Text
from penstock.leaks.baseline import Baseline, Known
from penstock.leaks.found import FoundSecret, Skipped, Source
from penstock.leaks.marks import allowed_lines, fingerprint, mask
from penstock.leaks.match import Leak, LeakFinder

AT_ONCE = 1 << 22
"""Bytes of small texts that are handed to a thread together."""

Values = Callable[[str], frozenset[tuple[str, bytes]]]
"""Tells which values, with their rules, an object holds."""


Told = Callable[[str, int, int], None]
"""Hears how far a scan is: what is looked through, how many texts of it are done, how many there are."""


class Tally:
    """What a scan has come to so far. For one thread."""

    def __init__(self, told: Told | None = None) -> None:
        self._told = told
        self._expected = (0, 0)
        self.found: dict[tuple[str, str, str, int, str], FoundSecret] = {}
        self.allowed = 0
        self.files = 0
        self.size_bytes = 0
        self.skipped: list[Skipped] = []

    def expect(self, count: int) -> None:
        """Take down how many texts the next source has."""
        self._expected = (self.files, self.files + count)

    def look_at(self, text: Text) -> None:
        """Count a text."""
        self.size_bytes += len(text.data) - text.seen
        if text.seen:
            return
        self.files += 1
        self._tell(text.source)

    def take(
        self, source: Source, found: Iterable[FoundSecret], allowed: int, files: int, size: int
    ) -> None:
        """Take down what another has looked through."""
        for one in found:
            self.add(one)
        self.allowed += allowed
        self.files += files
        self.size_bytes += size
        self._tell(source)

    def _tell(self, source: Source) -> None:
        if self._told is not None:
            before, until = self._expected
            self._told(source.value, self.files - before, max(until, self.files) - before)

    def skip(self, path: str, why: str) -> None:
        """Take down what could not be looked at."""
        self.skipped.append(Skipped(path, why))

    def add(self, found: FoundSecret) -> None:
        """Take down a finding; of a history the same value in a file counts once, its oldest commit."""
        line = 0 if found.commit else found.line
        key = (found.source.value, found.path, found.rule, line, found.fingerprint)
        first = self.found.get(key)
        if first is None:
            self.found[key] = found
        elif found.commit:
            self.found[key] = msgspec.structs.replace(first, times=first.times + 1)

    def sorted(self) -> tuple[FoundSecret, ...]:
        """Return the findings by source and place."""
        return tuple(sorted(self.found.values(), key=_place))


def _place(found: FoundSecret) -> tuple[str, str, int, int, str]:
    return found.source.value, found.path, found.line, found.column, found.rule


class Looker:
    """Looks through texts with one finder. `key` gives the key of fingerprints when one is needed.

    With `marks`, lines that carry a mark which allows secrets are counted and not reported.
    """

    def __init__(self, finder: LeakFinder, key: Callable[[], bytes], *, marks: bool = True) -> None:
        self._finder = finder
        self._key = key
        self._marks = marks

    def look(self, texts: Iterable[Text], tally: Tally, values: Values | None = None) -> None:
        """Look through all of them; `values` tells what was in the objects before."""
        for text, leaks in self._found(texts, tally):
            for leak in self._new(text, leaks, values):
                tally.add(self.told(text, leak))

    def values(self, data: bytes) -> frozenset[tuple[str, bytes]]:
        """Return the values in some bytes, each with its rule."""
        return frozenset((leak.rule_id, leak.value) for leak in self._finder.find(data))

    def told(self, text: Text, leak: Leak) -> FoundSecret:
        """Return a finding without its value."""
        return FoundSecret(
            source=text.source,
            path=text.path,
            line=text.line + leak.line - 1,
            column=leak.column,
            rule=leak.rule_id,
            title=leak.title,
            masked=mask(leak.value),
            fingerprint=fingerprint(self._key(), leak.rule_id, leak.value),
            commit=text.commit,
        )

    def _found(self, texts: Iterable[Text], tally: Tally) -> Iterator[tuple[Text, Sequence[Leak]]]:
        """Yield the texts that hold something, in their order; several threads look at once."""
        batches = _batches(texts, tally)
        first = list(islice(batches, 2))
        if len(first) < 2:
            yield from (one for batch in first for one in self._search(batch, tally))
            return
        workers = min(os.cpu_count() or 1, 8)
        with ThreadPoolExecutor(workers) as pool:
            pending = [pool.submit(self._matches, batch) for batch in first]
            while pending:
                while len(pending) <= workers and (batch := next(batches, None)) is not None:
                    pending.append(pool.submit(self._matches, batch))
                done, *pending = pending
                yield from self._kept(done.result(), tally)

    def _search(self, batch: Sequence[Text], tally: Tally) -> Iterator[tuple[Text, list[Leak]]]:
        return self._kept(self._matches(batch), tally)

    def _matches(self, batch: Sequence[Text]) -> list[tuple[Text, list[Leak], frozenset[int]]]:
        hits = []
        for text in batch:
            leaks = [leak for leak in self._finder.find(text.data) if leak.end > text.seen]
            if leaks:
                lines = allowed_lines(text.data) if self._marks else ()
                hits.append((text, leaks, frozenset(lines)))
        return hits

    def _kept(
        self, hits: Iterable[tuple[Text, list[Leak], frozenset[int]]], tally: Tally
    ) -> Iterator[tuple[Text, list[Leak]]]:
        for text, leaks, marked in hits:
            kept = [leak for leak in leaks if leak.line not in marked]
            tally.allowed += len(leaks) - len(kept)
            yield text, kept

    def _new(self, text: Text, leaks: Sequence[Leak], values: Values | None) -> Iterator[Leak]:
        """Yield those that were not in what this text has taken the place of."""
        old: frozenset[tuple[str, bytes]] = frozenset()
        if leaks and text.before and values is not None:
            old = frozenset().union(*map(values, text.before))
        yield from (leak for leak in leaks if (leak.rule_id, leak.value) not in old)


def _batches(texts: Iterable[Text], tally: Tally) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for text in texts:
        tally.look_at(text)
        batch.append(text)
        size += len(text.data)
        if size >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def against(
    found: Sequence[FoundSecret], baseline: Baseline | None
) -> tuple[tuple[FoundSecret, ...], tuple[FoundSecret, ...]]:
    """Return the findings that stay and those that the baseline knows."""
    if baseline is None:
        return tuple(found), ()
    known = Known(baseline)
    stay = tuple(one for one in found if one not in known)
    return stay, tuple(one for one in found if one in known)

"""The baseline of secrets: those that were looked at and may stay, told by keyed fingerprints.

A JSON file for git: sorted, a line for each entry, without line numbers, so that it changes only
where findings come or go. It holds no value, and no hash of one that could be tried out without the
key. Where the key is inside (`key`), who has the file has the key: then only the strength of the
values themselves protects them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256

import msgspec

from penstock.errors import ConfigError
from penstock.leaks.found import FoundSecret, Source
from penstock.typed import typed

NAME = ".aim-secrets-baseline.json"
"""Where the baseline lies in a repository."""
VERSION = 1
KEY_BYTES = 32
_HINT = "write it anew: aim scan secrets --update-baseline"
_VOLATILE = frozenset({Source.AUDIT, Source.LOGS})


class Entry(msgspec.Struct, frozen=True, order=True):
    """One secret that is known: in which file, by which rule; `source` is what was looked through."""

    path: str
    rule: str
    fingerprint: str
    source: Source = Source.TREE


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What is known. `key_id` names the key of the fingerprints; `key` is that key where it travels with
    the file."""

    key_id: str
    key: bytes | None = None
    entries: tuple[Entry, ...] = ()


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: str
    fingerprint: str
    source: Source = Source.TREE


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    key_id: str
    key: str | None = None
    files: dict[str, list[_Line]]


def key_id(key: bytes) -> str:
    """Return what names a key without telling it: 16 hex digits."""
    return sha256(b"penstock fingerprint key\0" + key).hexdigest()[:16]


def decode(data: bytes, shown: str = NAME) -> Baseline:
    """Read a baseline. Raises ConfigError when it is none."""
    try:
        content = typed(json.loads(data), _File)
        key = None if content.key is None else bytes.fromhex(content.key)
    except (ValueError, RecursionError) as error:  # a merge conflict in it ends here
        raise ConfigError(f"{shown} is no baseline of secrets: {error}", hint=_HINT) from error
    if content.version != VERSION:
        raise ConfigError(
            f"{shown} is a baseline of version {content.version}, this penstock reads {VERSION}",
            hint=_HINT,
        )
    if key is not None and (len(key) != KEY_BYTES or key_id(key) != content.key_id):
        raise ConfigError(f"the key in {shown} is not the one that it names", hint=_HINT)
    entries = (
        Entry(path, line.rule, line.fingerprint, line.source)
        for path, lines in content.files.items()
        for line in lines
    )
    return Baseline(key_id=content.key_id, key=key, entries=tuple(entries))


def encode(baseline: Baseline) -> bytes:
    """Return the file: a line for each entry, so that git merges it line by line."""
    by_path: dict[str, list[str]] = {}
    for entry in sorted(set(baseline.entries)):
        by_path.setdefault(entry.path, []).append(_line(entry))
    files = ",\n".join(
        f"  {json.dumps(path)}: [\n" + ",\n".join(f"   {line}" for line in lines) + "\n  ]"
        for path, lines in by_path.items()
    )
    head = [f' "version": {VERSION}', f' "key_id": "{baseline.key_id}"']
    head += [f' "key": "{baseline.key.hex()}"'] if baseline.key is not None else []
    body = f"{{\n{files}\n }}" if files else "{}"
    return '{{\n{},\n "files": {}\n}}\n'.format(",\n".join(head), body).encode()


def _line(entry: Entry) -> str:
    told = {"rule": entry.rule, "fingerprint": entry.fingerprint}
    if entry.source is not Source.TREE:
        told["source"] = entry.source.value
    return json.dumps(told)


class Known:
    """Tells whether a finding is one that the baseline knows.

    In files it must be the same value by the same rule in the same file; in the audit trail and in
    logs, whose files come and go, the same value by the same rule.
    """

    def __init__(self, baseline: Baseline) -> None:
        self._exact = {(e.path, e.rule, e.fingerprint) for e in baseline.entries}
        self._values = {(e.rule, e.fingerprint) for e in baseline.entries}

    def __contains__(self, found: FoundSecret) -> bool:
        if found.source in _VOLATILE:
            return (found.rule, found.fingerprint) in self._values
        return (found.path, found.rule, found.fingerprint) in self._exact


def updated(
    before: Iterable[Entry],
    found: Iterable[FoundSecret],
    *,
    sources: Collection[Source],
    is_scanned: Callable[[str], bool],
) -> tuple[Entry, ...]:
    """Return the entries after a scan: what it found, and of what it did not look at, what was known.

    `sources` are those that it looked through as a whole, `is_scanned` tells which paths of them.
    """
    kept = [e for e in before if e.source not in sources or not is_scanned(e.path)]
    told = [Entry(f.path, f.rule, f.fingerprint, f.source) for f in found]
    return tuple(sorted({*kept, *told}))

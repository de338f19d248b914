"""Keys, tokens and passwords, found by penstock itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import penstock.leaks as leaks
from penstock.checks.api import Place
from penstock.checks.plugins.coded import CodedPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call, PluginResult
from penstock.errors import PenstockError
from penstock.model.finding import Category, Finding, Severity

if TYPE_CHECKING:
    from penstock.leaks.baseline import Baseline
    from penstock.leaks.match import Leak, LeakFinder

_TOOL = "secrets"
_SURE = "certain"
_BASELINE = ".aim-secrets-baseline.json"


class Secrets(CodedPlugin):
    """The rules of `aim scan secrets`, with its marks and its baseline."""

    @cached_property
    def _finder(self) -> LeakFinder:
        # not needed while all results are known
        from penstock.leaks.match import LeakFinder

        return LeakFinder()

    @cached_property
    def _sure(self) -> frozenset[str]:
        """The rules that know a provider's shape."""
        from penstock.leaks.rules import RULES

        return frozenset(rule.id for rule in RULES if rule.level == _SURE)

    def arguments(self, *, fix: bool) -> tuple[str, ...]:
        """Return what decides a result beside the file: the rules."""
        return (*super().arguments(fix=fix), _rules_digest())

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at each file; a baseline that cannot be used is a problem, and never a pass."""
        try:
            _known(place)
        except PenstockError as error:
            return self.failed(f"{error}" + (f" ({error.hint})" if error.hint else ""))
        return super().check(files, place, call)

    def look(self, path: str, data: bytes, place: Place) -> Iterable[Finding]:
        """Return the secrets of a file that neither a mark nor the baseline allows."""
        from penstock.leaks.marks import allowed_lines

        if path == _BASELINE or not (found := self._finder.find(data)):
            return []
        marked, known = allowed_lines(data), _known(place)
        return [
            self._finding(path, leak)
            for leak in found
            if leak.line not in marked and not (known and known.has(path, leak))
        ]

    def _finding(self, path: str, leak: Leak) -> Finding:
        from penstock.leaks.marks import mask

        sure = leak.rule_id in self._sure
        return Finding(
            tool=_TOOL,
            message=f"{leak.title} {mask(leak.value)}",
            path=path,
            line=leak.line,
            column=leak.column,
            code=leak.rule_id,
            category=Category.SECURITY,
            severity=Severity.ERROR if sure else Severity.WARNING,
        )


class _KnownSecrets:
    """What a baseline knows, told by the key that it was made with."""

    def __init__(self, baseline: Baseline) -> None:
        from penstock.config.fingerprints import key_for

        self._key = key_for(baseline)
        self._entries = frozenset((e.path, e.rule, e.fingerprint) for e in baseline.entries)

    def has(self, path: str, leak: Leak) -> bool:
        """Tell whether a secret in a file is one of them."""
        from penstock.leaks.marks import fingerprint

        told = fingerprint(self._key, leak.rule_id, leak.value)
        return (path, leak.rule_id, told) in self._entries


def _known(place: Place) -> _KnownSecrets | None:
    """Return the baseline of a tree, None where there is none. Raises ConfigError,
    EnvironmentProblem."""
    path = place.tree / _BASELINE
    try:
        found = path.stat()
    except OSError:
        return None
    return _loaded(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _loaded(path: Path, _mtime_ns: int, _size: int) -> _KnownSecrets | None:
    from penstock.config.fingerprints import load_baseline

    baseline = load_baseline(path)
    return None if baseline is None else _KnownSecrets(baseline)


@cache
def _rules_digest() -> str:
    """Return a digest of the code that finds secrets."""
    folder = Path(str(leaks.__file__)).parent
    digest = blake2b(digest_size=10)
    for source in sorted(folder.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def register() -> Secrets:
    """Make the plugin."""
    return Secrets(beside(__file__))

"""The baseline: findings that were there when checking began, and fail nothing as long as they stay.

A JSON file for git: sorted, a line for each finding, without line numbers, so that it changes only
where findings come or go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from penstock.checks.inspection.collect import status_of
from penstock.checks.inspection.suppress import is_unchecked
from penstock.errors import ConfigError, EnvironmentProblem
from penstock.folders import replace_file
from penstock.model.finding import Finding
from penstock.model.fingerprint import Key, key_of
from penstock.model.inspection import NO_CHECKER, CheckReport
from penstock.typed import typed

VERSION = 1
MAX_BYTES = 64 << 20
_HINT = "write it anew with `penstock check --baseline FILE --update-baseline`"


class Known(msgspec.Struct, frozen=True, order=True):
    """One finding of a baseline. `code` is empty for a tool without rules."""

    path: str
    tool: str
    code: str
    fingerprint: str


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The findings that are known; one may be in it several times."""

    findings: tuple[Known, ...] = ()


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tool: str
    fingerprint: str
    code: str = ""


class _File(msgspec.Struct, frozen=True):
    version: int
    files: dict[str, list[_Entry]]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline. Raises ConfigError when it is not there, cannot be read, or is none."""
    data = _bytes_of(path)
    try:
        content = typed(json.loads(data), _File)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        # a merge conflict in it ends here
        raise ConfigError(f"{path} is no baseline: {error}", hint=_HINT) from error
    if content.version != VERSION:
        raise ConfigError(
            f"{path} is a baseline of version {content.version}, this penstock reads {VERSION}",
            hint=_HINT,
        )
    return Baseline(
        findings=tuple(
            Known(name, entry.tool, entry.code, entry.fingerprint)
            for name, entries in content.files.items()
            for entry in entries
        )
    )


def write_baseline(
    path: Path,
    findings: Iterable[Finding],
    *,
    checked: Collection[str] | None = None,
    absent: Collection[str] = (),
) -> int:
    """Write the findings as the new baseline, in one piece, and return how many it holds.

    Of other files than `checked` (None: all there are) and of the tools `absent`, which did not look,
    what the baseline that is there knows stays. Findings that say that nothing was checked are
    left out. Raises ConfigError when that baseline cannot be read, EnvironmentProblem when the new
    one cannot be written.
    """
    known = [_known(found) for found in findings if _belongs(found)]
    if (checked is not None or absent) and path.exists():
        seen, told = _Seen(checked, absent), Counter(known)
        for entry in load_baseline(path).findings:
            if told[entry] > 0:  # found again all the same
                told[entry] -= 1
            elif entry not in seen:
                known.append(entry)
    _replace(path, _text(sorted(known)).encode())
    return len(known)


def apply(
    findings: Iterable[Finding],
    baseline: Baseline,
    *,
    checked: Collection[str] | None = None,
    absent: Collection[str] = (),
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Known, ...]]:
    """Return the findings that stay, those that the baseline knows, and what it knows that is gone.

    Only what it knows of the files `checked` (None: of all) can be gone, and nothing that the
    tools `absent` had found, which did not look.
    """
    left: Counter[Key] = Counter((entry.path, entry.fingerprint) for entry in baseline.findings)
    kept: list[Finding] = []
    known: list[Finding] = []
    for found in findings:
        if _belongs(found) and _take(left, key_of(found)):
            known.append(found)
        else:
            kept.append(found)
    seen = _Seen(checked, absent)
    gone = tuple(
        entry
        for entry in reversed(baseline.findings)
        if entry in seen and _take(left, (entry.path, entry.fingerprint))
    )
    return tuple(kept), tuple(known), gone[::-1]


class _Seen:
    """What a check had a look at: entries of these files (None: of all) but those of some tools."""

    def __init__(self, files: Collection[str] | None, absent: Collection[str]) -> None:
        self._files = None if files is None else frozenset(files)
        self._absent = frozenset(absent)

    def __contains__(self, entry: Known) -> bool:
        is_checked = self._files is None or entry.path in self._files
        return is_checked and entry.tool not in self._absent


def _belongs(found: Finding) -> bool:
    """Tell whether a finding is one that can be known: what was not checked never is, and that there
    is no checker for a file depends on the machine."""
    return found.path is not None and not is_unchecked(found) and found.code != NO_CHECKER


def _take(left: Counter[Key], key: Key) -> bool:
    """Take one of what is left, False when there is none."""
    if left[key] <= 0:
        return False
    left[key] -= 1
    return True


def _known(found: Finding) -> Known:
    path, mark = key_of(found)
    return Known(path or "", found.tool, found.code or "", mark)


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ConfigError(f"there is no baseline {path}", hint=_HINT)
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} is too large for a baseline", hint=_HINT)
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def _text(known: list[Known]) -> str:
    """Return the file: a line for each finding, so that git merges it line by line."""
    by_path: dict[str, list[str]] = {}
    for entry in known:
        by_path.setdefault(entry.path, []).append(_line(entry))
    files = ",\n".join(
        f"  {_json(path)}: [\n" + ",\n".join(f"   {line}" for line in lines) + "\n  ]"
        for path, lines in by_path.items()
    )
    return (
        f'{{\n "version": {VERSION},\n "files": {{'
        + (f"\n{files}\n }}" if files else "}")
        + "\n}\n"
    )


def _line(entry: Known) -> str:
    code = {"code": entry.code} if entry.code else {}
    return _json({"tool": entry.tool, **code, "fingerprint": entry.fingerprint})


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # a name that is no text (a lone surrogate) can only be kept as an escape
    return text if _is_text(text) else json.dumps(value)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _replace(path: Path, content: bytes) -> None:
    """Write a baseline in one piece. Raises EnvironmentProblem."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {path}: {error.strerror}", hint="choose another --baseline"
        ) from error


def with_baseline(
    report: CheckReport, baseline: Baseline, *, strict: bool, absent: Collection[str] = ()
) -> CheckReport:
    """Return the report with what the baseline knows set apart, and its gone findings counted, but for
    those of the tools `absent`, which did not look."""
    everything = [found for result in report.files for found in result.findings]
    checked = {result.path for result in report.files}
    kept, known, gone = apply(everything, baseline, checked=checked, absent=absent)
    kept_of, known_of = _by_path(kept), _by_path(known)
    files = tuple(
        msgspec.structs.replace(
            result,
            findings=tuple(kept_of.get(result.path, ())),
            known=tuple(known_of.get(result.path, ())),
            status=status_of(kept_of.get(result.path, ()), strict=strict),
        )
        for result in report.files
    )
    return msgspec.structs.replace(report, files=files, fixed_known=len(gone))


def _by_path(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    by_path: dict[str, list[Finding]] = {}
    for found in findings:
        by_path.setdefault(found.path or "", []).append(found)
    return by_path

"""The prompt of an EDIT or FIX turn: task, acceptance, scope, conventions, findings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from penstock.engine.changes import Changes
from penstock.model.bundle import Bundle
from penstock.model.finding import Finding

CONVENTION_FILES = ("AGENTS.md", "CLAUDE.md")
CONVENTION_LIMIT = 16_000
SUMMARY_LIMIT = 400
FINDING_LIMIT = 40
FIXED_LIMIT = 10
TAIL_LIMIT = 6_000
_FIX_OPENING = (
    "Your change for workstream {ws} (run {run}) does not pass its {step} checks. "
    "Mend the cause; keep what the task asks for."
)
_MERGE_OPENING = (
    "Your change for workstream {ws} (run {run}) was merged with the work of others, which this "
    "tree holds, and it does not fit. Mend that; keep what both sides set out to do."
)
_RESOLVE = (
    "Each conflict stands between <<<<<<< and >>>>>>>, your side first. Put what shall be there in "
    "its place and leave no marker behind."
)


class FixInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a FIX turn is told: the step that failed, its findings and the end of its output.

    `changes` sets the findings beside those of the check before; None when there was none, or none
    that could be compared.
    """

    for_step: str
    findings: tuple[Finding, ...]
    tail: str
    commands: tuple[str, ...]
    changes: Changes | None = None


def edit_prompt(bundle: Bundle, run_id: str, tree: Path) -> str:
    """Return the prompt of an EDIT turn; conventions are read from `tree`."""
    parts = [
        f"You are changing one git repository for workstream {bundle.id} (run {run_id}).",
        _section("Task", _task(bundle)),
        *_common(bundle, tree),
    ]
    return "\n\n".join(parts) + "\n"


def fix_prompt(bundle: Bundle, run_id: str, tree: Path, fix: FixInput) -> str:
    """Return the prompt of a FIX turn."""
    commands = "\n".join(f"    {command}" for command in fix.commands)
    parts = [
        _FIX_OPENING.format(ws=bundle.id, run=run_id, step=fix.for_step),
        _section("Checks that failed", commands),
        _section("Findings", _findings(fix)),
        _section("End of the output", _tail(fix.tail)),
        _section("The task", _task(bundle)),
        *_common(bundle, tree),
    ]
    return "\n\n".join(parts) + "\n"


def merge_prompt(
    bundle: Bundle, run_id: str, tree: Path, fix: FixInput, conflicts: Iterable[str]
) -> str:
    """Return the prompt of a FIX turn for a workstream that could not be merged.

    `conflicts` are files with conflict markers in them; without any, the merge itself was clean
    and its checks failed.
    """
    marked = _bullets(conflicts)
    commands = "\n".join(f"    {command}" for command in fix.commands)
    parts = [
        _MERGE_OPENING.format(ws=bundle.id, run=run_id),
        *([_section("Files with conflict markers", f"{marked}\n\n{_RESOLVE}")] if marked else []),
        *([_section("Checks that failed on the merge", commands)] if commands else []),
        _section("Findings", _findings(fix)),
        *([_section("End of the output", _tail(fix.tail))] if fix.tail else []),
        _section("The task", _task(bundle)),
        *_common(bundle, tree),
    ]
    return "\n\n".join(parts) + "\n"


def findings_text(findings: Iterable[Finding], limit: int = FINDING_LIMIT) -> str:
    """Return findings one per line, `path:line:column: code message`, each at most 400 characters."""
    told = list(findings)
    lines = [summary(finding) for finding in told[:limit]]
    if len(told) > limit:
        lines.append(f"... and {len(told) - limit} more")
    return _bullets(lines)


def _findings(fix: FixInput) -> str:
    """Return the findings, sorted into new ones and old ones where that is known."""
    changes = fix.changes
    text = findings_text(fix.findings) or "None could be read from the output."
    if changes is None:
        return text
    new, still, fixed = changes.new, changes.still, changes.fixed
    counts = f"{len(new)} new, {len(still)} still there, {len(fixed)} fixed"
    room = max(FINDING_LIMIT - len(new), FIXED_LIMIT)
    parts = [
        f"Since the previous check: {counts}." if fix.findings else text,
        _group("New", new, FINDING_LIMIT),
        _group("Still there", still, room),
        _group("Fixed (see that they stay so)", fixed, FIXED_LIMIT),
    ]
    return "\n\n".join(part for part in parts if part)


def _group(title: str, findings: tuple[Finding, ...], limit: int) -> str:
    return f"{title}:\n{findings_text(findings, limit)}" if findings else ""


def summary(finding: Finding) -> str:
    """Return one finding as one line of at most 400 characters."""
    place = ":".join(
        str(part) for part in (finding.path, finding.line, finding.column) if part is not None
    )
    words = " ".join(f"{finding.code or ''} {finding.message}".split())
    text = f"{place}: {words}" if place else words
    return text if len(text) <= SUMMARY_LIMIT else text[: SUMMARY_LIMIT - 3] + "..."


def _common(bundle: Bundle, tree: Path) -> list[str]:
    acceptance = _bullets(bundle.acceptance_tests)
    conventions = repository_conventions(tree)
    return [
        *([_section("Acceptance", acceptance)] if acceptance else []),
        _section("Scope: you may change only these paths", _scope(bundle)),
        *([_section("Conventions of this repository", conventions)] if conventions else []),
        _section("All fields of the workstream (JSON)", _fields(bundle)),
        _section(
            "Rules",
            "- Edit files only; do not run git commit, checkout, stash or push.\n"
            "- Do not touch files outside the scope; such edits are undone and fail the turn.\n"
            "- Do not weaken, skip or delete tests to make checks pass.",
        ),
    ]


def _task(bundle: Bundle) -> str:
    """Return the prompt of the capability's payload, if there is one, and the tasks."""
    prompt = str((bundle.capability_payload or {}).get("prompt") or "")
    parts = [part for part in (prompt.strip(), _bullets(bundle.tasks)) if part]
    return "\n\n".join(parts) or "See the fields below."


def _scope(bundle: Bundle) -> str:
    created = set(bundle.files_create)
    return _bullets(
        f"{path} (to be created)" if path in created else path for path in bundle.claims
    )


def _fields(bundle: Bundle) -> str:
    fields = msgspec.to_builtins(bundle)
    # The script of the scripted tool is the answer, not the question.
    fields["metadata"] = {k: v for k, v in fields["metadata"].items() if k != "scripted"}
    fields = {key: value for key, value in fields.items() if value not in (None, [], {})}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()


def repository_conventions(tree: Path) -> str:
    """Return what the repository tells agents, in AGENTS.md and CLAUDE.md."""
    texts = []
    for name in CONVENTION_FILES:
        path = tree / name
        if path.is_file() and path.resolve().is_relative_to(tree.resolve()):
            text = path.read_text(encoding="utf-8", errors="replace")[:CONVENTION_LIMIT]
            texts.append(f"From {name}:\n\n{text.strip()}")
    return "\n\n".join(texts)


def _tail(text: str) -> str:
    cut = text[-TAIL_LIMIT:]
    return "\n".join(f"    {line}" for line in cut.splitlines()) or "    (no output)"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"

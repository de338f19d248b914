"""Running one check: find it, see that it tests the right code, run it, judge it."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import msgspec

from penstock.checks.api import Check, CheckContext, CheckRun
from penstock.checks.imports import ImportGuard, Imports, python_of
from penstock.checks.marking import marked
from penstock.checks.readers import read
from penstock.checks.reading import MAX_MESSAGE, Evidence, Reading, clean, tail_of
from penstock.checks.scratch import ScratchFolders
from penstock.checks.surroundings import (
    check_environment,
    joined_path,
    locate,
    report_file,
)
from penstock.checks.tailor import stray_manifest, with_report
from penstock.model.finding import Category, Finding, Severity
from penstock.process.api import Command, End, FilterFactory, Outcome, Stop
from penstock.process.environment import find_executable
from penstock.process.output import Log
from penstock.process.run import run

KEEP_BYTES = 2 << 20
"""How much of each stream is kept for reading."""
_PYTHON_PACKAGES = frozenset({"ruff", "pytest", "mypy", "black", "yamllint", "codespell"})
_COMMAND_NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs checks. Thread-safe."""

    _guard: ImportGuard = field(default_factory=ImportGuard)
    _scratch: ScratchFolders = field(default_factory=ScratchFolders)

    def run(
        self, check: Check, context: CheckContext, stop: Stop, make_filter: FilterFactory
    ) -> CheckRun:
        """Run a check; a runtime check that fails is run once more."""
        first = self._once(check, context, stop, make_filter)
        if not _deserves_another(first) or stop.asked:
            return first
        second = self._once(check, context, stop, make_filter)
        return _merged(first, second)

    def _once(
        self, check: Check, context: CheckContext, stop: Stop, make_filter: FilterFactory
    ) -> CheckRun:
        try:
            with self._scratch.lend() as scratch:
                run_ = _Attempt(check, context, scratch, stop, make_filter).result(self._guard)
                findings = marked(run_.findings, context.worktree)
                return msgspec.structs.replace(run_, findings=findings)
        except OSError as error:
            reason = f"{check.check_id} cannot be run: {error.strerror or error}"
            return _problem(check, reason)


def _deserves_another(run_: CheckRun) -> bool:
    """Tell whether a failure may be a flake: not when it took all its time, or could not start."""
    failed = not (run_.passed or run_.timed_out or run_.interrupted or run_.problem)
    return failed and run_.check.step == "runtime"


def _merged(first: CheckRun, second: CheckRun) -> CheckRun:
    """Return the second run with what both cost; when it passes, the first tells what is flaky."""
    flaky = second.passed
    findings = second.findings
    if flaky:
        findings = tuple(
            msgspec.structs.replace(finding, severity=Severity.WARNING)
            for finding in first.findings
        )
    return msgspec.structs.replace(
        second,
        flaky=flaky,
        findings=findings,
        duration_s=first.duration_s + second.duration_s,
        swept=first.swept + second.swept,
    )


def _problem(check: Check, reason: str, outcome: Outcome | None = None) -> CheckRun:
    return CheckRun(
        check=check,
        passed=False,
        exit_code=outcome.exit_code if outcome is not None else None,
        duration_s=outcome.duration_s if outcome is not None else 0.0,
        problem=reason,
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One start of a check."""

    check: Check
    context: CheckContext
    scratch: Path
    stop: Stop
    make_filter: FilterFactory

    def result(self, guard: ImportGuard) -> CheckRun:
        """Run it and judge what became of it."""
        check, context = self.check, self.context
        env = check_environment(
            context.worktree, context.repo_root, self.scratch, check.env, context.env
        )
        executable = locate(check.argv[0], self._cwd, env)
        if executable is None:
            return _problem(check, self._missing())
        manifest = stray_manifest(check.argv, self._cwd, context.worktree)
        if manifest is not None:
            return self._astray(manifest)
        imports = self._imports(guard, executable, env)
        if imports.problem is not None:
            return _problem(check, imports.problem)
        if imports.path:
            env["PYTHONPATH"] = _with_first(imports.path, env.get("PYTHONPATH", ""))
        lost = self._log(f"$ {shlex.join(check.argv)}")
        outcome = self._run(executable, env)
        return self._judge(outcome, outcome.error or lost)

    @property
    def _cwd(self) -> Path:
        return self.context.worktree / self.check.working_dir

    def _astray(self, manifest: str) -> CheckRun:
        name = self.check.argv[0]
        message = (
            f"there is no {manifest}, so {name} would work on the checkout around the worktree"
        )
        finding = Finding(tool=_tool(self.check), message=message, category=_category(self.check))
        return CheckRun(
            check=self.check,
            passed=False,
            exit_code=None,
            duration_s=0.0,
            findings=(finding,),
            tail=message,
        )

    def _missing(self) -> str:
        name = self.check.argv[0]
        how = f"install {name}"
        if name in _PYTHON_PACKAGES:
            how = f"install it into the repository's environment (.venv/bin/pip install {name})"
        where = "the worktree's and the repository's .venv and on PATH"
        if os.sep in name:
            where, how = str(self._cwd), "add it to the repository"
        return (
            f"{name} is not installed: looked for it in {where} (penstock's own environment is "
            f"never used); {how}, or take it out of the configured checks"
        )

    def _imports(self, guard: ImportGuard, executable: Path, env: Mapping[str, str]) -> Imports:
        """See where the tree's packages would come from, for checks that run its Python code."""
        runs_code = self.check.parser == "pytest" or self.check.step == "runtime"
        name = PurePath(self.check.argv[0]).name
        if not runs_code or not (name.startswith(("python", "pytest")) or name == "make"):
            return Imports()
        # make is no Python, but starts the one that comes first on PATH
        python = find_executable("python3", env) if name == "make" else python_of(executable, env)
        if python is None:
            return Imports()
        return guard.look(python, self.context.worktree, self.context.repo_root, env, self.stop)

    def _run(self, executable: Path, env: Mapping[str, str]) -> Outcome:
        check, argv = self.check, self.check.argv
        # JSON lines are for us: the log gets them rendered
        structured = check.parser == "ruff"
        if check.parser == "pytest":
            report = report_file(self.scratch)
            tree, root = self.context.worktree, self.context.repo_root
            argv = with_report(argv, report, self._cwd, tree, root)
        return run(
            Command(
                argv=(str(executable), *argv[1:]),
                cwd=self._cwd,
                env=env,
                log=None if structured else self.context.log,
                wall_s=check.timeout_s,
                keep_bytes=KEEP_BYTES,
                marker=self.context.marker or None,
                sweep_cwd=self.context.worktree,
                make_filter=self.make_filter,
                on_start=self.context.on_start,
            ),
            self.stop,
        )

    # -- judging ---------------------------------------------------------------------------
    def _judge(self, outcome: Outcome, remark: str) -> CheckRun:
        check = self.check
        if outcome.end in (End.NOT_FOUND, End.NOT_STARTED):
            return _problem(check, f"{check.check_id}: {outcome.error}", outcome)
        reading, tail = self._read(outcome)
        passed = outcome.end is End.EXITED and outcome.exit_code in check.success_codes
        interrupted = outcome.end is End.INTERRUPTED
        if not passed and not interrupted:
            problem = _not_its_fault(check, outcome)
            if problem:
                return _problem(check, problem, outcome)
        return CheckRun(
            check=check,
            passed=passed,
            exit_code=outcome.exit_code,
            duration_s=outcome.duration_s,
            findings=(
                *_findings(check, outcome, reading, tail, passed=passed),
                *_remarks(check, remark),
            ),
            tail=tail,
            timed_out=outcome.timed_out,
            tests=reading.tests if outcome.end is End.EXITED else None,
            swept=outcome.swept,
            interrupted=interrupted,
        )

    def _read(self, outcome: Outcome) -> tuple[Reading, str]:
        report = report_file(self.scratch) if self.check.parser == "pytest" else None
        evidence = Evidence(
            tool=self.check.profile or PurePath(self.check.argv[0]).name,
            tree=self.context.worktree,
            cwd=self._cwd,
            stdout=clean(outcome.stdout),
            stderr=clean(outcome.stderr),
            exit_code=outcome.exit_code,
            report=report,
        )
        reading = read(self.check.parser, evidence)
        text = None if reading.text is None else self._masked(reading.text)
        if self.check.parser == "ruff":
            self._log(text if text is not None else f"{evidence.stdout}\n{evidence.stderr}")
        if text is not None:
            return reading, tail_of(text, "")
        # what is redacted may be no JSON any more, so it was read as it came
        return reading, tail_of(self._masked(evidence.stdout), self._masked(evidence.stderr))

    def _log(self, text: str) -> str:
        """Append a text to the log, and return why that was not possible."""
        if not text.strip():
            return ""
        log = Log(self.context.log)
        log.write(self._masked(f"{text.strip()}\n").encode("utf-8", "replace"))
        log.close()
        return log.error

    def _masked(self, text: str) -> str:
        """Return a text without secrets: before its end is cut off, which would cut a secret, too."""
        made = self.make_filter()
        raw = made.feed(text.encode("utf-8", "replace")) + made.flush()
        return raw.decode("utf-8", "replace")


def _with_first(folders: tuple[Path, ...], given: str) -> str:
    rest = [Path(entry) for entry in given.split(os.pathsep) if entry]
    return joined_path((*folders, *rest))


def _not_its_fault(check: Check, outcome: Outcome) -> str:
    """Say why a failure is one of the environment, or return an empty text."""
    name, module = PurePath(check.argv[0]).name, check.argv[2:3]
    if name in ("npm", "npx") and outcome.exit_code == _COMMAND_NOT_FOUND:
        return (
            f"{check.check_id}: a command of package.json is not installed; let the worktree have "
            "node_modules through worktree.symlink or worktree.setup in config/pipeline.yaml"
        )
    if name.startswith("python") and check.argv[1:2] == ("-m",) and module:
        absent = f": No module named {module[0]}"
        if module[0] in _PYTHON_PACKAGES and outcome.error_text.rstrip().endswith(absent):
            return (
                f"{check.check_id}: {module[0]} is not installed in the environment of that "
                f"Python; install it (.venv/bin/pip install {module[0]})"
            )
    return ""


def _findings(
    check: Check, outcome: Outcome, reading: Reading, tail: str, *, passed: bool
) -> tuple[Finding, ...]:
    """Return what was read; a failure always has a finding, whatever was read."""
    if passed:
        # readers take any `file:line:` for a finding, and a tool that is content says such things
        return tuple(f for f in reading.findings if f.severity is Severity.INFO)
    ended = _how_it_ended(check, outcome)
    if ended is not None:
        return (ended, *reading.findings)
    if any(finding.severity is not Severity.INFO for finding in reading.findings):
        return reading.findings
    return (*reading.findings, _whole_output(check, outcome, tail))


def _remarks(check: Check, remark: str) -> tuple[Finding, ...]:
    """Tell what went wrong around a check that did run, such as a log on a full disk."""
    return (Finding(tool=_tool(check), message=remark, severity=Severity.INFO),) if remark else ()


def _how_it_ended(check: Check, outcome: Outcome) -> Finding | None:
    """Describe an end by a limit or a signal, None for an exit."""
    if outcome.end is End.WALL_LIMIT:
        message = f"did not end within {check.timeout_s:g} s and was stopped"
    elif outcome.end is End.INTERRUPTED:
        message = "was interrupted"
    elif outcome.end is not End.EXITED:
        number = -(outcome.exit_code or 0)
        names = {entry.value: entry.name for entry in signal.Signals}
        name = names.get(number, f"signal {number}")
        message = f"was killed by {name}"
    else:
        return None
    return Finding(tool=_tool(check), message=message, category=_category(check))


def _whole_output(check: Check, outcome: Outcome, tail: str) -> Finding:
    said = tail[-(MAX_MESSAGE - 100) :].strip() or "it said nothing"
    return Finding(
        tool=_tool(check),
        message=f"exit code {outcome.exit_code}: {said}",
        category=_category(check),
    )


def _tool(check: Check) -> str:
    return check.profile or PurePath(check.argv[0]).name


def _category(check: Check) -> Category:
    return Category.TEST_FAILURE if check.step == "runtime" else Category.OTHER

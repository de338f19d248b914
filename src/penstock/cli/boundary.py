"""The one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from types import TracebackType

import click

from penstock.cli import output
from penstock.errors import ExitCode, PenstockError
from penstock.masking import look_around

# What a full disk, a missing permission or an exhausted table of descriptors says is about the
# machine, not about our code.
MACHINE_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
    }
)

JSON_FLAGS = frozenset({"--json", "--json-output", "-j"})
"""How JSON is asked for; the last two are `aim`'s."""


class ForeignError(PenstockError):
    """An error of another library, brought into our form."""

    def __init__(self, message: str, *, code: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = ExitCode(code)


class Boundary:
    """A context that lets no error through: `code` is what the process shall exit with.

    A PenstockError is printed with its hint and gives its own code, Ctrl-C gives 130, a reader
    that went away is no error, and anything unforeseen gives 3 with a report file. When `argv`
    asks for JSON, the error is printed as JSON on stdout too.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = tuple(argv)
        self.code = int(ExitCode.DONE)

    def __enter__(self) -> Boundary:
        output.tolerate_encoding()
        look_around()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            self.code = self._settle(error)
        if not output.flush() and self.code == ExitCode.DONE:
            self.code = int(ExitCode.USAGE)
        return True

    def _settle(self, error: BaseException) -> int:
        """Tell the user about an error and return the exit code."""
        plain = _plain_exit(error)
        if plain is not None:
            return plain
        if isinstance(error, click.UsageError):
            _show_usage(error)
        problem = as_problem(error)
        if problem is None:
            problem = self._bug(error)
        problem = without_secrets(problem)
        self._tell(problem, on_stderr=not isinstance(error, click.UsageError))
        return int(problem.exit_code)

    def _bug(self, error: BaseException) -> ForeignError:
        """Write a report about an error that nobody foresaw."""
        from penstock.cli.crash import write_report
        from penstock.masking import redactor

        path = write_report(error, self.argv)
        words = redactor().text(f"{type(error).__name__}: {error}")
        where = f"A report was written to {path}." if path else "No report could be written."
        return ForeignError(
            f"penstock failed unexpectedly: {words}",
            code=ExitCode.BUG,
            hint=f"{where} Nothing recorded is lost: `penstock status` shows the runs and"
            " `penstock resume RUN` goes on. Please send the report to penstock's issue tracker.",
        )

    def _tell(self, problem: PenstockError, *, on_stderr: bool) -> None:
        """Print a problem for people, and for machines when they asked."""
        if on_stderr:
            output.warn(f"Error: {problem}")
            if problem.hint:
                output.warn(f"Hint: {problem.hint}")
        if not JSON_FLAGS.isdisjoint(self.argv):
            output.emit_json({"error": as_document(problem)})


def without_secrets(problem: PenstockError) -> PenstockError:
    """Return an error whose words hold no secrets; other programs' words may be among them."""
    from penstock.masking import redactor  # its patterns are needed here only

    mask = redactor().prose
    message, hint = str(problem), problem.hint
    told = mask(message), hint and mask(hint)
    if told == (message, hint):
        return problem
    return ForeignError(told[0], code=problem.exit_code, hint=told[1])


def as_document(problem: PenstockError) -> dict[str, object]:
    """Return the JSON form of an error: message, hint and exit code."""
    return {
        "message": str(problem),
        "hint": problem.hint,
        "exit_code": int(problem.exit_code),
    }


def as_problem(error: BaseException) -> PenstockError | None:
    """Bring a foreseen error into our form; None for an unforeseen one."""
    if isinstance(error, PenstockError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return ForeignError("stopped", code=ExitCode.INTERRUPTED)
    if isinstance(error, (click.Abort, EOFError)):
        return _aborted(error)
    if isinstance(error, click.ClickException):
        return ForeignError(error.format_message(), code=ExitCode.USAGE, hint=_usage_hint(error))
    if isinstance(error, OSError):
        return _machine_problem(error)
    return _locked_database(error)


def _plain_exit(error: BaseException) -> int | None:
    """Return the code of an exit that needs no words, None for any other error."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError):
        output.close_stdout()
        return int(ExitCode.DONE)
    return None


def _aborted(error: BaseException) -> ForeignError:
    """Tell a Ctrl-C at a question from a question that nobody can answer."""
    if isinstance(error, EOFError) or isinstance(error.__context__, EOFError):
        return ForeignError(
            "there is nobody to answer the question", code=ExitCode.USAGE, hint="Pass --yes."
        )
    return ForeignError("stopped", code=ExitCode.INTERRUPTED)


def _machine_problem(error: OSError) -> ForeignError | None:
    """Bring an error of the machine into our form."""
    if error.errno not in MACHINE_ERRNOS:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return ForeignError(
        f"{where}{error.strerror}",
        code=ExitCode.USAGE,
        hint="Free space or mend the permissions, then run the same command again.",
    )


def _locked_database(error: BaseException) -> ForeignError | None:
    """Bring an error of SQLite into our form, without importing it where nobody used it."""
    sqlite = sys.modules.get("sqlite3")
    if sqlite is None or not isinstance(error, sqlite.OperationalError):
        return None
    return ForeignError(
        f"the journal cannot be used: {error}",
        code=ExitCode.USAGE,
        hint="Another process may be holding it: wait, or see `penstock status`, and try again.",
    )


def _show_usage(error: click.UsageError) -> None:
    """Print a usage error as click does: usage, how to get help, message."""
    if error.ctx is not None:
        output.warn(error.ctx.get_usage())
        output.warn(f"Try '{error.ctx.command_path} --help' for help.\n")
    output.warn(
        f"Error: {without_secrets(ForeignError(error.format_message(), code=ExitCode.USAGE))}"
    )


def _usage_hint(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"{context.command_path} --help" if context is not None else None

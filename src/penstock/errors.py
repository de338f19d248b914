"""The error tree, with the exit code that each branch ends the program with.

    PenstockError                 1  the work failed
    +- UsageError                 2  a mistake in what was asked or written
    |  +- ConfigError                a configuration file is wrong
    |  +- BundleError                a workstream bundle is wrong (also a ValueError)
    |  |  +- BundleValidationError, BundleDependencyError, BundleCycleError
    |  |  +- FileScopeOverlapError
    |  +- NotFoundError              no such run, workstream, tool (also a ValueError)
    +- EnvironmentProblem         2  this machine or repository cannot do it
    |  +- ToolMissingError           an executable is not installed
    |  +- RepositoryError            bare, without a commit, in the middle of a merge
    |  |  +- GitError                a git command failed
    |  +- JournalError               the journal cannot be used
    |     +- JournalSchemaError      made by a newer penstock
    |     +- ClaimError              another process holds the run
    |     +- ClaimLostError          another process took the run over meanwhile
    +- InvalidTransitionError     1  an illegal change of state (also a ValueError)
    +- Interrupted              130  stopped by the user

Every message says what went wrong; `hint` holds the command or edit that mends it.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process exits with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUG = 3
    INTERRUPTED = 130


class PenstockError(Exception):
    """The base of all errors that penstock raises on purpose.

    `hint` is one line that tells the user how to mend it, or None.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])
        self.hint = hint


class UsageError(PenstockError):
    """The command or a file it names is wrong."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A configuration file is wrong."""


class BundleError(UsageError, ValueError):
    """A workstream bundle is wrong."""


class BundleValidationError(BundleError):
    """A workstream bundle does not match the schema."""


class BundleDependencyError(BundleError):
    """Missing dependency references."""


class BundleCycleError(BundleError):
    """Dependency cycle(s) detected."""


class FileScopeOverlapError(BundleError):
    """File scope overlaps detected."""


class NotFoundError(UsageError, ValueError):
    """There is no such run, workstream or tool."""


class EnvironmentProblem(PenstockError):  # noqa: N818 - EnvironmentError is a builtin
    """This machine or repository cannot do it."""

    exit_code = ExitCode.USAGE


class ToolMissingError(EnvironmentProblem):
    """An executable is not installed."""


class RepositoryError(EnvironmentProblem):
    """The git repository cannot be used."""


class GitError(RepositoryError):
    """A git command failed."""


class JournalError(EnvironmentProblem):
    """The journal cannot be used."""


class JournalSchemaError(JournalError):
    """The journal was made by a newer penstock."""


class ClaimError(JournalError):
    """Another process is working on this run."""


class ClaimLostError(JournalError):
    """Another process has taken this run over."""


class InvalidTransitionError(PenstockError, ValueError):
    """An illegal change of state."""


class Interrupted(PenstockError):  # noqa: N818 - a wish of the user, not an error
    """Stopped by the user."""

    exit_code = ExitCode.INTERRUPTED

"""The error tree, with the exit code that each branch ends the program with.

    PenstockError                 1  the work failed
    +- UsageError                 2  a mistake in what was asked or written
    |  +- ConfigError                a configuration file is wrong
    |  +- BundleError                a workstream bundle is wrong (also a ValueError)
    |  |  +- BundleValidationError, BundleDependencyError, BundleCycleError
    |  |  +- FileScopeOverlapError
    |  +- ExecutionRequestError      a request for a tool is wrong (also a ValueError)
    |  +- NotFoundError              no such run, workstream, tool (also a ValueError)
    +- EnvironmentProblem         2  this machine or repository cannot do it
    |  +- ToolMissingError           an executable is not installed
    |  +- PreFlightError             a check before a run failed (also a RuntimeError)
    |  +- SecretsError               the vault cannot be used
    |     +- SecretMissingError      it has no such secret (1)
    |  +- RepositoryError            bare, without a commit, in the middle of a merge
    |  |  +- GitError                a git command failed
    |  |  +- HandoverConflictError   a result does not fit the branch it is for (1)
    |  +- JournalError               the journal cannot be used
    |     +- JournalSchemaError      made by a newer penstock
    |     +- ClaimError              another process holds the run
    |     +- ClaimLostError          another process took the run over meanwhile
    +- AIMError                   1  routing a capability to a tool, or proving it, failed
    |  +- AIMRegistryNotFoundError   there is no registry where it should be (2)
    |  +- AIMRegistryLoadError       the registry or its rules are wrong (2)
    |  +- AIMCapabilityNotFoundError, AIMToolNotFoundError, AIMAdapterNotFoundError
    |  +- AIMAdapterInvocationError, AIMAdapterTimeoutError, AIMAdapterOutputError
    |  +- AIMAllToolsFailedError     every tool of a capability was tried
    |  +- AIMValidationError         a payload breaks a limit
    |  +- AIMAuditLogError           the audit trail cannot be written or read (2)
    +- BudgetExceeded             1  a limit on money or tokens leaves no room for a turn
    +- CircuitBreakerOpen         1  a tool is cooling down
    +- RetryExhausted             1  the last retry has failed too
    +- InvalidTransitionError     1  an illegal change of state (also a ValueError)
    +- Interrupted              130  stopped by the user

Every message says what went wrong; `hint` holds the command or edit that mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process exits with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUG = 3
    INTERRUPTED = 130


_masks: list[Callable[[str], str]] = [str]


def mask_words(mask: Callable[[str], str]) -> None:
    """Let the words of every error go through `mask` from now on."""
    _masks[:] = [mask]


class PenstockError(Exception):
    """The base of all errors that penstock raises on purpose.

    `hint` is one line that tells the user how to mend it, or None. What goes through the door for
    text (`masking`) has taken out of both what is known to be secret.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        words = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(_masks[-1](words))
        self.hint = hint and _masks[-1](hint)


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


class ExecutionRequestError(UsageError, ValueError):
    """An ExecutionRequest lacks something or holds something wrong."""


class EnvironmentProblem(PenstockError):  # noqa: N818 - EnvironmentError is a builtin
    """This machine or repository cannot do it."""

    exit_code = ExitCode.USAGE


class ToolMissingError(EnvironmentProblem):
    """An executable is not installed."""


class PreFlightError(EnvironmentProblem, RuntimeError):
    """System health check failed."""


class SecretsError(EnvironmentProblem):
    """The vault cannot be used."""


class SecretMissingError(SecretsError):
    """The vault has no such secret."""

    exit_code = ExitCode.FAILED


class RepositoryError(EnvironmentProblem):
    """The git repository cannot be used."""


class GitError(RepositoryError):
    """A git command failed."""


class HandoverConflictError(RepositoryError):
    """The result of a run does not fit the branch that it is handed over to."""

    exit_code = ExitCode.FAILED


class JournalError(EnvironmentProblem):
    """The journal cannot be used."""


class JournalSchemaError(JournalError):
    """The journal was made by a newer penstock."""


class ClaimError(JournalError):
    """Another process is working on this run."""


class ClaimLostError(JournalError):
    """Another process has taken this run over."""


class AIMError(PenstockError):
    """Routing a capability to a tool failed."""


class AIMRegistryNotFoundError(AIMError):
    """There is no AIM registry."""

    exit_code = ExitCode.USAGE


class AIMRegistryLoadError(AIMError):
    """The AIM registry is wrong."""

    exit_code = ExitCode.USAGE


class AIMCapabilityNotFoundError(AIMError):
    """A capability is not defined in the coordination rules.

    `capability` is the one asked for, `available_capabilities` are the defined ones, sorted.
    """

    def __init__(
        self,
        capability: str,
        available_capabilities: Iterable[str] = (),
        *,
        message: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.capability = capability
        self.available_capabilities = tuple(sorted(available_capabilities))
        known = ", ".join(self.available_capabilities) or "none"
        super().__init__(
            message or f"Capability '{capability}' not defined in coordination rules",
            hint=hint or f"Defined are: {known}.",
        )


class AIMToolNotFoundError(AIMError):
    """A tool is not in the AIM registry."""


class AIMAdapterNotFoundError(AIMError):
    """A tool of the registry has no adapter."""


class AIMAdapterInvocationError(AIMError):
    """An adapter could not be started, or failed."""


class AIMAdapterTimeoutError(AIMError):
    """An adapter took longer than it may."""


class AIMAdapterOutputError(AIMError):
    """An adapter printed something else than one JSON object."""


class AIMAllToolsFailedError(AIMError):
    """All tools of a capability failed.

    `attempts` holds the tool and what it said, in the order in which they were tried.
    """

    def __init__(
        self,
        capability: str,
        attempts: Iterable[tuple[str, str]] = (),
        *,
        hint: str | None = None,
    ) -> None:
        self.capability = capability
        self.attempts = tuple(attempts)
        said = "; ".join(f"{tool}: {message}" for tool, message in self.attempts)
        super().__init__(
            f"All tools failed for capability {capability}: {said or 'none could be tried'}",
            hint=hint,
        )


class AIMValidationError(AIMError):
    """A payload breaks a limit: `field` names the part, `reason` says how."""

    def __init__(self, field: str, reason: str, *, hint: str | None = None) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}", hint=hint)


class AIMAuditLogError(AIMError):
    """The audit trail cannot be written or read."""

    exit_code = ExitCode.USAGE


class BudgetExceeded(PenstockError):  # noqa: N818 - named like its event
    """A limit on money or tokens leaves no room for a turn.

    `cap` names what is limited (workstream, run, day), `unit` is usd or tokens. `spent` is settled,
    `reserved` held back for turns under way, `wanted` what this turn would reserve (None: unknown),
    `limit` the most that they may come to together.
    """

    def __init__(
        self,
        cap: str,
        *,
        spent: float,
        limit: float,
        unit: str,
        reserved: float = 0,
        wanted: float | None = None,
        hint: str | None = None,
    ) -> None:
        self.cap = cap
        self.spent = spent
        self.reserved = reserved
        self.wanted = wanted
        self.limit = limit
        self.unit = unit
        said = [f"{_amount(spent, unit).split()[0]} of {_amount(limit, unit)} spent"]
        said += [f"{_amount(reserved, unit)} reserved"] if reserved else []
        said += [f"{_amount(wanted, unit)} wanted"] if wanted else []
        super().__init__(f"the budget of the {cap} is used up: {', '.join(said)}", hint=hint)


def _amount(value: float, unit: str) -> str:
    return f"{value:.4f} USD" if unit == "usd" else f"{value:.0f} tokens"


class CircuitBreakerOpen(PenstockError):  # noqa: N818 - the documented name
    """The tool is cooling down: its circuit breaker lets no call through."""


class RetryExhausted(PenstockError):  # noqa: N818 - the documented name
    """The last retry has failed too."""


class InvalidTransitionError(PenstockError, ValueError):
    """An illegal change of state."""


class Interrupted(PenstockError):  # noqa: N818 - a wish of the user, not an error
    """Stopped by the user."""

    exit_code = ExitCode.INTERRUPTED

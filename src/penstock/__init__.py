"""penstock turns specs into isolated, checked, merged code by driving AI coding CLIs.

`penstock.run("ws-a")` and its kin do what the commands do. Every name is imported when it is first
used, so that `import penstock` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from penstock.aim import (
        detect_tool,
        get_aim_registry_path,
        get_tool_version,
        is_aim_available,
        load_aim_registry,
        load_coordination_rules,
        migrate_ai_manager_to_aim,
        route_to_capability,
        run_pre_flight_checks,
    )
    from penstock.api import (
        attempts,
        diff,
        dry_run,
        events,
        figures,
        graph,
        init,
        load,
        metrics,
        progress,
        result,
        resume,
        run,
        runs,
        status,
        validate,
    )
    from penstock.audit.api import EventType
    from penstock.audit_log import get_audit_logger, log_error, log_event
    from penstock.calls import (
        execute_with_aim,
        invoke_adapter,
        record_audit_log,
        route_capability,
    )
    from penstock.checks.plugins.loading import PluginManager
    from penstock.control import approve, cancel, integrate, pause, quarantine, retry
    from penstock.engine.ports import Observer, PlannedWorkstream, RunRequest
    from penstock.error_engine import FileHashCache, PipelineEngine
    from penstock.error_pipeline import escalate, tick
    from penstock.errors import (
        AIMAdapterInvocationError,
        AIMAdapterNotFoundError,
        AIMAdapterOutputError,
        AIMAdapterTimeoutError,
        AIMAllToolsFailedError,
        AIMAuditLogError,
        AIMCapabilityNotFoundError,
        AIMError,
        AIMRegistryLoadError,
        AIMRegistryNotFoundError,
        AIMToolNotFoundError,
        AIMValidationError,
        BundleCycleError,
        BundleDependencyError,
        BundleValidationError,
        CircuitBreakerOpen,
        FileScopeOverlapError,
        InvalidTransitionError,
        PenstockError,
        PreFlightError,
        RetryExhausted,
        SecretsError,
    )
    from penstock.execution import create_execution_request, get_tool_config, route_task
    from penstock.facade import (
        get_tool_profile,
        load_and_validate_bundles,
        load_tool_profiles,
        render_command,
        run_tool,
        sync_bundles_to_db,
    )
    from penstock.journal import (
        create_run,
        create_workstream,
        get_connection,
        get_error_context,
        get_errors,
        get_events,
        get_run,
        get_step_attempts,
        get_workstream,
        get_workstreams_for_run,
        init_db,
        list_runs,
        record_error,
        record_event,
        record_step_attempt,
        save_error_context,
        update_run_status,
        update_workstream_status,
        validate_state_transition,
    )
    from penstock.machine import HealthMonitor, VersionControl, get_scanner
    from penstock.model.bundle import Bundle
    from penstock.model.escalation import EscalationContext
    from penstock.model.figures import RunFigures
    from penstock.model.progress import ProgressSnapshot, RunMetrics
    from penstock.model.results import RunResult, StepResult, WorkstreamResult
    from penstock.orchestration import Orchestrator
    from penstock.orchestrator import (
        run_edit_step,
        run_runtime_step,
        run_runtime_with_fix,
        run_single_workstream_from_bundle,
        run_static_step,
        run_static_with_fix,
        run_workstream,
    )
    from penstock.planning.bundles import (
        detect_cycles,
        detect_filescope_overlaps,
        load_bundle_file,
        validate_bundle_obj,
    )
    from penstock.process.api import Stop
    from penstock.schedule.graph import build_dependency_graph
    from penstock.schedule.tasks import ExecutionScheduler, Task
    from penstock.schedule.waves import parallel_plan
    from penstock.tools.adapters import AdapterRegistry, ToolAdapter, ToolConfig
    from penstock.tools.api import ToolResult
    from penstock.wiring import Workspace, open_workspace

# Where each name lives: to export another one, add it here, above and to `__all__`.
HOMES: dict[str, tuple[str, ...]] = {
    "penstock.audit.api": ("EventType",),
    "penstock.audit_log": (
        "get_audit_logger",
        "log_error",
        "log_event",
    ),
    "penstock.calls": (
        "execute_with_aim",
        "invoke_adapter",
        "record_audit_log",
        "route_capability",
    ),
    "penstock.aim": (
        "detect_tool",
        "get_aim_registry_path",
        "get_tool_version",
        "is_aim_available",
        "load_aim_registry",
        "load_coordination_rules",
        "migrate_ai_manager_to_aim",
        "route_to_capability",
        "run_pre_flight_checks",
    ),
    "penstock.api": (
        "attempts",
        "diff",
        "dry_run",
        "events",
        "figures",
        "graph",
        "init",
        "load",
        "metrics",
        "progress",
        "result",
        "resume",
        "run",
        "runs",
        "status",
        "validate",
    ),
    "penstock.control": (
        "approve",
        "cancel",
        "integrate",
        "pause",
        "quarantine",
        "retry",
    ),
    "penstock.engine.ports": (
        "Observer",
        "PlannedWorkstream",
        "RunRequest",
    ),
    "penstock.checks.plugins.loading": ("PluginManager",),
    "penstock.error_engine": (
        "FileHashCache",
        "PipelineEngine",
    ),
    "penstock.errors": (
        "AIMAdapterInvocationError",
        "AIMAdapterNotFoundError",
        "AIMAdapterOutputError",
        "AIMAdapterTimeoutError",
        "AIMAllToolsFailedError",
        "AIMAuditLogError",
        "AIMCapabilityNotFoundError",
        "AIMError",
        "AIMRegistryLoadError",
        "AIMRegistryNotFoundError",
        "AIMToolNotFoundError",
        "AIMValidationError",
        "BundleCycleError",
        "BundleDependencyError",
        "BundleValidationError",
        "CircuitBreakerOpen",
        "FileScopeOverlapError",
        "InvalidTransitionError",
        "PenstockError",
        "PreFlightError",
        "RetryExhausted",
        "SecretsError",
    ),
    "penstock.error_pipeline": (
        "escalate",
        "tick",
    ),
    "penstock.execution": (
        "create_execution_request",
        "get_tool_config",
        "route_task",
    ),
    "penstock.facade": (
        "get_tool_profile",
        "load_and_validate_bundles",
        "load_tool_profiles",
        "render_command",
        "run_tool",
        "sync_bundles_to_db",
    ),
    "penstock.journal": (
        "create_run",
        "create_workstream",
        "get_connection",
        "get_error_context",
        "get_errors",
        "get_events",
        "get_run",
        "get_step_attempts",
        "get_workstream",
        "get_workstreams_for_run",
        "init_db",
        "list_runs",
        "record_error",
        "record_event",
        "record_step_attempt",
        "save_error_context",
        "update_run_status",
        "update_workstream_status",
        "validate_state_transition",
    ),
    "penstock.machine": ("HealthMonitor", "VersionControl", "get_scanner"),
    "penstock.model.bundle": ("Bundle",),
    "penstock.model.escalation": ("EscalationContext",),
    "penstock.model.figures": ("RunFigures",),
    "penstock.model.progress": (
        "ProgressSnapshot",
        "RunMetrics",
    ),
    "penstock.model.results": (
        "RunResult",
        "StepResult",
        "WorkstreamResult",
    ),
    "penstock.orchestration": ("Orchestrator",),
    "penstock.orchestrator": (
        "run_edit_step",
        "run_runtime_step",
        "run_runtime_with_fix",
        "run_single_workstream_from_bundle",
        "run_static_step",
        "run_static_with_fix",
        "run_workstream",
    ),
    "penstock.planning.bundles": (
        "detect_cycles",
        "detect_filescope_overlaps",
        "load_bundle_file",
        "validate_bundle_obj",
    ),
    "penstock.process.api": ("Stop",),
    "penstock.schedule.graph": ("build_dependency_graph",),
    "penstock.schedule.tasks": (
        "ExecutionScheduler",
        "Task",
    ),
    "penstock.schedule.waves": ("parallel_plan",),
    "penstock.tools.adapters": (
        "AdapterRegistry",
        "ToolAdapter",
        "ToolConfig",
    ),
    "penstock.tools.api": ("ToolResult",),
    "penstock.wiring": (
        "Workspace",
        "open_workspace",
    ),
}

__all__ = [
    "AIMAdapterInvocationError",
    "AIMAdapterNotFoundError",
    "AIMAdapterOutputError",
    "AIMAdapterTimeoutError",
    "AIMAllToolsFailedError",
    "AIMAuditLogError",
    "AIMCapabilityNotFoundError",
    "AIMError",
    "AIMRegistryLoadError",
    "AIMRegistryNotFoundError",
    "AIMToolNotFoundError",
    "AIMValidationError",
    "AdapterRegistry",
    "Bundle",
    "BundleCycleError",
    "BundleDependencyError",
    "BundleValidationError",
    "CircuitBreakerOpen",
    "EscalationContext",
    "EventType",
    "ExecutionScheduler",
    "FileHashCache",
    "FileScopeOverlapError",
    "HealthMonitor",
    "InvalidTransitionError",
    "Observer",
    "Orchestrator",
    "PenstockError",
    "PipelineEngine",
    "PlannedWorkstream",
    "PluginManager",
    "PreFlightError",
    "ProgressSnapshot",
    "RetryExhausted",
    "RunFigures",
    "RunMetrics",
    "RunRequest",
    "RunResult",
    "SecretsError",
    "StepResult",
    "Stop",
    "Task",
    "ToolAdapter",
    "ToolConfig",
    "ToolResult",
    "VersionControl",
    "Workspace",
    "WorkstreamResult",
    "__version__",
    "approve",
    "attempts",
    "build_dependency_graph",
    "cancel",
    "create_execution_request",
    "create_run",
    "create_workstream",
    "detect_cycles",
    "detect_filescope_overlaps",
    "detect_tool",
    "diff",
    "dry_run",
    "escalate",
    "events",
    "execute_with_aim",
    "figures",
    "get_aim_registry_path",
    "get_audit_logger",
    "get_connection",
    "get_error_context",
    "get_errors",
    "get_events",
    "get_run",
    "get_scanner",
    "get_step_attempts",
    "get_tool_config",
    "get_tool_profile",
    "get_tool_version",
    "get_workstream",
    "get_workstreams_for_run",
    "graph",
    "init",
    "init_db",
    "integrate",
    "invoke_adapter",
    "is_aim_available",
    "list_runs",
    "load",
    "load_aim_registry",
    "load_and_validate_bundles",
    "load_bundle_file",
    "load_coordination_rules",
    "load_tool_profiles",
    "log_error",
    "log_event",
    "metrics",
    "migrate_ai_manager_to_aim",
    "open_workspace",
    "parallel_plan",
    "pause",
    "progress",
    "quarantine",
    "record_audit_log",
    "record_error",
    "record_event",
    "record_step_attempt",
    "render_command",
    "result",
    "resume",
    "retry",
    "route_capability",
    "route_task",
    "route_to_capability",
    "run",
    "run_edit_step",
    "run_pre_flight_checks",
    "run_runtime_step",
    "run_runtime_with_fix",
    "run_single_workstream_from_bundle",
    "run_static_step",
    "run_static_with_fix",
    "run_tool",
    "run_workstream",
    "runs",
    "save_error_context",
    "status",
    "sync_bundles_to_db",
    "tick",
    "update_run_status",
    "update_workstream_status",
    "validate",
    "validate_bundle_obj",
    "validate_state_transition",
]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives and keep it."""
    for module, names in HOMES.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'penstock' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What is known of the tools at this moment, put together from the registry, the machine and the
journal: for `aim status`, `aim route`, and whoever routes a turn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.breakers.circuit import DEFAULT_CIRCUIT, cooling_until
from penstock.errors import AIMAdapterNotFoundError, NotFoundError
from penstock.model.capability import CapabilityRule, Strategy
from penstock.model.toolhealth import ToolBreaker, ToolStatistics
from penstock.registry.api import Registry, RegistryTool, SignIn, ToolDetection
from penstock.registry.detect import LIMIT_S, detect_all, find_all
from penstock.registry.load import usual_program
from penstock.registry.notebook import open_notebook
from penstock.registry.signin import sign_in_of
from penstock.routing.api import RouteDecision, ToolState, Try
from penstock.routing.decide import route, strategy_of
from penstock.routing.limits import missing_fields
from penstock.store.api import Journal
from penstock.tools.api import Toolbox
from penstock.tools.toolbox import BUILT_IN
from penstock.typed import typed

HALF_LIFE_S = 14 * 86_400.0
"""After how long (s) a turn counts half as much for the strategy `auto`."""
TOPIC = "contract"
FOREVER_S = float("inf")
USUAL_RETRIES = 1
"""How often the same tool is tried again when neither payload nor rule say so."""


class ContractResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the last probe of a tool found; `probed_at` is seconds since the epoch.

    `measured` is the version that the adapter was measured with (None: never), `version` the probed one.
    """

    tool_id: str
    version: str | None
    measured: str | None
    probed_at: float
    mismatches: tuple[str, ...] = ()


class ToolStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One tool of the registry with all that is known of it."""

    detection: ToolDetection
    sign_in: SignIn
    contract: ContractResult | None = None
    cooling_until: float | None = None
    cooling_reason: str | None = None
    unproven: str | None = None


def _nothing(_tool_id: str) -> Collection[str]:
    return ()


class ToolSide:
    """The tools of one repository at one moment.

    `journal` None is that of a repository without one; `limit_s` (s) bounds each tool that must be
    asked for its version; `kept` tells which keys the vault has for a tool. What was found out is
    kept for the life of the object: make another one for another moment.
    """

    def __init__(
        self,
        registry: Registry,
        toolbox: Toolbox,
        journal: Journal | None,
        *,
        environ: Mapping[str, str] | None = None,
        now: float | None = None,
        limit_s: float = LIMIT_S,
        kept: Callable[[str], Collection[str]] = _nothing,
    ) -> None:
        self.registry = registry
        self._kept = kept
        self._limit_s = limit_s
        self.now = time.time() if now is None else now
        self._toolbox = toolbox
        self._journal = journal
        self._environ = os.environ if environ is None else environ
        self._notebook = open_notebook(self._environ)
        self._found: dict[str, ToolDetection] = {}
        self._seen: dict[str, ToolDetection] = {}
        breakers = journal.list_tool_breakers() if journal is not None else []
        self._breakers = {breaker.tool_id: breaker for breaker in breakers}
        self._busy = journal.busy_tools() if journal is not None else {}
        self._statistics: Mapping[str, ToolStatistics] | None = None

    # -- what there is -----------------------------------------------------------------------
    def detections(self, tool_ids: Iterable[str]) -> dict[str, ToolDetection]:
        """Look for tools of the registry; others are left out."""
        wanted = [t for t in tool_ids if t in self.registry.tools]
        fresh = [self.registry.tools[t] for t in wanted if t not in self._found]
        if fresh:
            self._found |= detect_all(fresh, environ=self._environ, limit_s=self._limit_s)
        return {tool_id: self._found[tool_id] for tool_id in wanted}

    def detection(self, tool_id: str) -> ToolDetection:
        """Look for one tool. Raises AIMToolNotFoundError when the registry does not have it."""
        self.registry.tool(tool_id)
        return self.detections([tool_id])[tool_id]

    def statuses(self) -> list[ToolStatus]:
        """Return every tool of the registry in its order."""
        found = self.detections(self.registry.tools)
        return [self._status(tool_id, found[tool_id]) for tool_id in self.registry.tools]

    def _status(self, tool_id: str, detection: ToolDetection) -> ToolStatus:
        until, reason = self._cooling(tool_id)
        return ToolStatus(
            detection=detection,
            sign_in=sign_in_of(tool_id, self._environ, self._kept(tool_id)),
            contract=self.last_contract(detection),
            cooling_until=until,
            cooling_reason=reason,
            unproven=self.registry.tools[tool_id].unproven,
        )

    def _cooling(self, tool_id: str) -> tuple[float | None, str | None]:
        breaker = self._breakers.get(tool_id, ToolBreaker(tool_id=tool_id))
        until = cooling_until(breaker, DEFAULT_CIRCUIT, self.now)
        return until, breaker.reason if until is not None else None

    # -- contracts -----------------------------------------------------------------------------
    def last_contract(self, detection: ToolDetection) -> ContractResult | None:
        """Return what the last probe of a tool as it is now found; None when there was none."""
        if detection.path is None:
            return None
        path = Path(detection.path)
        known = self._notebook.recall(TOPIC, path, self.now, lifetime_s=FOREVER_S)
        try:
            seen, result = typed(known, tuple[str | None, ContractResult])
        except msgspec.ValidationError:  # none yet, or of another penstock
            return None
        # a package manager may give all versions of a file one time and one size
        same = seen == detection.version and result.tool_id == detection.tool_id
        return result if same else None

    def with_contract(self) -> list[str]:
        """Return the tools of the registry whose adapters have a contract, in its order."""
        from penstock.tools.contracts import CONTRACTS

        return [tool_id for tool_id in self.registry.tools if tool_id in CONTRACTS]

    def probe_contracts(
        self, tool_ids: Sequence[str], *, fresh: bool = False
    ) -> dict[str, ContractResult | None]:
        """Probe tools that are there, at once, those known only when `fresh`; None: not there.

        Raises AIMToolNotFoundError for one that is not in the registry, AIMAdapterNotFoundError
        for one whose adapter has no contract.
        """
        known = self.with_contract()
        for tool_id in tool_ids:
            self.registry.tool(tool_id)
            if tool_id not in known:
                raise AIMAdapterNotFoundError(
                    f"the adapter of {tool_id!r} has no contract",
                    hint=f"those with one: {', '.join(known)}",
                )
        found = self.detections(tool_ids)
        results = {t: None if fresh else self.last_contract(d) for t, d in found.items()}
        todo = [d for t, d in found.items() if d.detected and results[t] is None]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=max(len(todo), 1)) as threads:
            made = list(threads.map(self._probe, todo))
        for detection, result in zip(todo, made, strict=True):
            results[detection.tool_id] = result
            noted = (detection.version, msgspec.to_builtins(result))
            self._notebook.note(TOPIC, Path(detection.path or ""), noted, self.now)
        self._notebook.save()
        return {tool_id: results.get(tool_id) for tool_id in tool_ids}

    def _probe(self, detection: ToolDetection) -> ContractResult:
        from penstock.tools.contract import probe

        done = probe(detection.tool_id)
        return ContractResult(
            tool_id=done.tool_id,
            version=done.version,
            measured=done.measured,
            probed_at=self.now,
            mismatches=done.mismatches,
        )

    # -- routing -------------------------------------------------------------------------------
    def states(self, tool_ids: Iterable[str], capability: str) -> dict[str, ToolState]:
        """Return what routing must know of tools that may be asked for a capability."""
        wanted = list(dict.fromkeys(tool_ids))
        found = self._sightings(wanted)
        return {tool_id: self._state(tool_id, found.get(tool_id), capability) for tool_id in wanted}

    def _sightings(self, tool_ids: Sequence[str]) -> dict[str, ToolDetection]:
        """Return which tools of the registry are there: a decision need not wait for versions."""
        tools = self.registry.tools
        known = self._seen | self._found
        self._seen |= find_all(
            (tools[t] for t in tool_ids if t in tools and t not in known), environ=self._environ
        )
        known = self._seen | self._found
        return {tool_id: known[tool_id] for tool_id in tool_ids if tool_id in known}

    def _state(self, tool_id: str, detection: ToolDetection | None, capability: str) -> ToolState:
        until, reason = self._cooling(tool_id)
        record = self._record(tool_id, capability)
        return ToolState(
            tool_id=tool_id,
            unavailable=self._unavailable(tool_id, detection),
            cooling_until=until,
            cooling_reason=reason or "",
            capabilities=self._offered(tool_id, capability),
            busy=self._busy.get(tool_id, 0),
            max_parallel=self.registry.rules.max_concurrent,
            successes=record.successes,
            failures=record.failures,
            median_s=record.median_s,
            cost_per_success=record.cost_per_success,
        )

    def _record(self, tool_id: str, capability: str) -> ToolStatistics:
        """Return a tool's record where the strategy learns from it: it costs a walk of the journal."""
        rule = self.registry.rules.capabilities.get(capability)
        nothing = ToolStatistics(tool_id=tool_id)
        if self._journal is None or rule is None or rule.strategy is not Strategy.AUTO:
            return nothing
        if self._statistics is None:
            self._statistics = self._journal.tool_statistics(self.now, HALF_LIFE_S)
        return self._statistics.get(tool_id, nothing)

    def _unavailable(self, tool_id: str, detection: ToolDetection | None) -> str | None:
        """Return why a tool cannot be started, None when it can.

        An adapter of ours whose usual program was just found need not be loaded to say the same.
        """
        entry = self.registry.tools.get(tool_id)
        if entry is not None and detection is not None and not detection.detected:
            return f"not installed: {entry.install_hint}"
        if not _is_usual(entry):
            try:
                missing = self._toolbox.get(tool_id).available()
            except NotFoundError:
                missing = "penstock has no adapter for it"
            if missing is not None:
                return missing
        contract = self.last_contract(detection) if detection is not None else None
        drift = contract.mismatches if contract is not None else ()
        return f"its contract is broken: {drift[0]}" if drift else None

    def _offered(self, tool_id: str, capability: str) -> tuple[str, ...]:
        """Return the capabilities of a tool. One that no entry of the registry lists is a name of
        the user's own: whatever its rule names offers it.
        """
        tools = self.registry.tools
        listed = any(capability in tool.capabilities for tool in tools.values())
        return tools[tool_id].capabilities if listed and tool_id in tools else ()

    def decide(
        self,
        capability: str,
        payload: Mapping[str, Any] | None = None,
        tries: Sequence[Try] = (),
        *,
        override: str | None = None,
        jitter: float = 1.0,
    ) -> RouteDecision:
        """Decide which tool would take a turn now; nothing is started and nothing recorded.

        `payload` None leaves its requirements out. Raises AIMCapabilityNotFoundError.
        """
        rule = self.registry.rule(capability)
        first = (override,) if override else ()
        given = {} if payload is None else payload
        missing = () if payload is None else missing_fields(rule.context_requirements, given)
        return route(
            capability,
            rule,
            self.states((*first, *rule.tools), capability),
            tries,
            now=self.now,
            jitter=jitter,
            max_retries=_retries(given, rule),
            payload_missing=missing,
            last_used=self._last_used(capability),
            override=override,
        )

    def _last_used(self, capability: str) -> str | None:
        rotating = strategy_of(self.registry.rule(capability)) is Strategy.ROUND_ROBIN
        return self._journal.last_routed(capability) if self._journal and rotating else None


def _is_usual(entry: RegistryTool | None) -> bool:
    """Tell whether a tool is driven by our own adapter through the program that it expects."""
    if entry is None or entry.adapter_script is not None:
        return False
    return entry.tool_id in BUILT_IN and entry.executable == usual_program(entry.tool_id)


def _retries(payload: Mapping[str, Any], rule: CapabilityRule) -> int:
    """Return how often the same tool is tried again: payload, then rule, then as usual."""
    wished = payload.get("max_retries")
    if isinstance(wished, int):
        return wished
    return USUAL_RETRIES if rule.max_retries is None else rule.max_retries

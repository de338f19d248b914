"""What the words of AI CLIs and their vendors amount to: typed outcomes and reset times.

Only words that a tool says about itself belong here (error events, failed results, stderr), never
what a model wrote: a model may write about rate limits. Everything is a function of the text.
The texts are those of aider 0.86 (litellm), Claude Code 2.1, Codex 0.169, Copilot CLI 1.0, Gemini
CLI 0.61, and of their vendors.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock.model.outcome import Outcome, OutcomeKind

# Order matters: an exhausted quota arrives as a 429, an overlong prompt as a 400.
_WORDS: dict[OutcomeKind, tuple[str, ...]] = {
    OutcomeKind.CONTEXT_OVERFLOW: (
        r"context[ _-]?length",
        r"context[ _-]?window",
        r"maximum context",
        r"prompt[ _](?:is )?too[ _]long",
        r"input is too long",
    ),
    OutcomeKind.QUOTA: (
        r"insufficient_quota",
        r"exceeded your current quota",
        r"credit balance is too low",
        r"TerminalQuotaError",
        r"billing[ _](?:hard[ _]limit|not active|error)",
        r"spend(?:ing)? limit",
        r"payment required",
        r"out of credits",
    ),
    OutcomeKind.AUTH: (
        r"authentication[ _]?(?:failed|error)",
        r"PermissionDeniedError",
        r"permission_error",
        r"not logged in",
        r"please run /login",
        r"(?:invalid|incorrect) (?:x-)?api[ -]key",
        r"invalid bearer token",
        r"missing environment variable",
        r"no api keys? (?:was|were|is|are) (?:provided|set|found)",
        r"oauth token (?:has expired|revoked)",
        r"(?:status|error|code|http)[ :=]*(?:401|403)\b",
        r"\b401 unauthorized",
        r"\b403 forbidden",
    ),
    OutcomeKind.RATE_LIMITED: (
        r"rate[ _-]?limit",
        r"too many requests",
        r"(?:status|error|code|http)[ :=]*429\b",
        r"usage[ _]limit",
        r"hit your (?:\S+ )?limit",
        r"limit reached",
        r"limit\b.{0,12}\bresets\b",
        r"resource_exhausted",
    ),
    OutcomeKind.OVERLOADED: (
        r"overloaded",
        r"internal[ _]?server[ _]?error",
        r"service[ _]?unavailable",
        r"bad[ _]?gateway",
        r"high demand",
        r"(?:status|error|code|http)[ :=]*5\d\d\b",
        r"server_error",
        r"connection[ _]?(?:refused|reset|error)",
        r"connection to the api was lost",
        r"stream disconnected",
        r"error sending request",
        r"litellm\.Timeout",
        r"request timed out",
    ),
    OutcomeKind.REFUSED: (
        r"content[ _]?policy",
        r"content_filter",
        r"usage policy",
        r"unable to respond to this request",
    ),
    OutcomeKind.BAD_OUTPUT: (
        r"expecting value",
        r"json parse error",
        r"invalid json",
        r"incomplete json",
        r"not valid json",
        r"ResponseValidationError",
        r"malformed",
        r"did not conform",
    ),
}
_KINDS = tuple((kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _WORDS.items())

_NUMBER_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)[a-z]*", re.IGNORECASE)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AFTER = re.compile(
    r"retry[- _]after(?:[- _](?P<ms>ms))?[\"']?\s*[:=]?\s*[\"']?(?P<number>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_IN = re.compile(
    r"(?:again|resets?|retry|available)\s+in\s+"
    r"(?:about\s+|~)?(?P<span>(?:\d+(?:\.\d+)?\s*(?:ms|[dhms])[a-z]*[\s,]*(?:and\s+)?)+)",
    re.IGNORECASE,
)
_EPOCH = re.compile(
    r"(?:limit reached|resets?_?at)[\"']?\s*[|:=]\s*[\"']?(?P<epoch>\d{10,13})\b", re.IGNORECASE
)
_ISO = re.compile(
    r"(?:again|resets?|reset_?at|until)\b\D{0,12}(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?"
    r"(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:again|resets?)\s+(?:at\s+|on\s+)?"
    r"(?:(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+"
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s*(?:(?P<year>\d{4}),?\s*)?(?:at\s+)?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>[ap])\.?m\.?"
    r"(?:\s*\((?P<zone>[A-Za-z_+\-/0-9]+)\))?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def classify(text: str, *, now: float, zone: tzinfo) -> Outcome | None:
    """Return the outcome that an error text amounts to, None when no pattern knows it.

    `now` is seconds since the epoch, `zone` the zone of times that name none.
    """
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return outcome(kind, text, now=now, zone=zone)
    return None


def outcome(kind: OutcomeKind, text: str, *, now: float, zone: tzinfo) -> Outcome:
    """Return an outcome of this kind that rests on this text, with its reset time if it has one."""
    reset = kind in (OutcomeKind.RATE_LIMITED, OutcomeKind.OVERLOADED)
    return Outcome(
        kind=kind,
        message=" ".join(text.split())[:300] or kind.value,
        evidence=text,
        reset_at=reset_time(text, now=now, zone=zone) if reset else None,
    )


def by_status(status: int) -> OutcomeKind | None:
    """Return what an HTTP status means, None when it says nothing by itself."""
    if status in (401, 403):
        return OutcomeKind.AUTH
    if status == 402:
        return OutcomeKind.QUOTA
    if status == 413:
        return OutcomeKind.CONTEXT_OVERFLOW
    if status == 429:
        return OutcomeKind.RATE_LIMITED
    return OutcomeKind.OVERLOADED if status in range(500, 600) else None


def reset_time(text: str, *, now: float, zone: tzinfo) -> float | None:
    """Return when a limit ends (UTC, seconds since the epoch), None when the text does not say.

    Understands `Retry-After: 20`, `try again in 1h 5m`, `limit reached|1760000000`, ISO times,
    `resets 3pm (Europe/Berlin)` and `try again at Oct 12th, 2025 3:05 PM`.
    """
    wait = _after(text)
    if wait is None:
        wait = _span(text)
    if wait is not None:
        return now + wait
    moment = _epoch(text)
    if moment is None:
        moment = _iso(text, zone)
    return _clock(text, now, zone) if moment is None else moment


def local_zone() -> tzinfo:
    """Return the zone of this machine."""
    return datetime.now(UTC).astimezone().tzinfo or UTC


def _after(text: str) -> float | None:
    match = _AFTER.search(text)
    if match is None:
        return None
    return float(match["number"]) * (0.001 if match["ms"] else 1.0)


def _span(text: str) -> float | None:
    match = _IN.search(text)
    if match is None:
        return None
    parts = _NUMBER_UNIT.findall(match["span"])
    return sum(float(number) * _UNIT_S[unit.lower()] for number, unit in parts)


def _epoch(text: str) -> float | None:
    match = _EPOCH.search(text)
    if match is None:
        return None
    value = float(match["epoch"])
    return value / 1000 if value > 1e11 else value


def _iso(text: str, zone: tzinfo) -> float | None:
    match = _ISO.search(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match["iso"])
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _clock(text: str, now: float, zone: tzinfo) -> float | None:
    match = _CLOCK.search(text)
    if match is None or not 1 <= int(match["hour"]) <= 12:
        return None
    today = datetime.fromtimestamp(now, _zone(match["zone"], zone))
    hour = int(match["hour"]) % 12 + (12 if match["half"].lower() == "p" else 0)
    try:
        moment = today.replace(hour=hour, minute=int(match["minute"] or 0), second=0, microsecond=0)
        if match["month"]:
            return _on_day(moment, match, now)
    except ValueError:
        return None
    if moment.timestamp() <= now:
        moment += timedelta(days=1)
    return moment.timestamp()


def _on_day(moment: datetime, match: re.Match[str], now: float) -> float:
    month = _MONTHS.index(match["month"].lower()) + 1
    moment = moment.replace(month=month, day=int(match["day"]))
    if match["year"]:
        moment = moment.replace(year=int(match["year"]))
    elif moment.timestamp() <= now:
        moment = moment.replace(year=moment.year + 1)
    return moment.timestamp()


def _zone(name: str | None, default: tzinfo) -> tzinfo:
    try:
        return ZoneInfo(name) if name else default
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default

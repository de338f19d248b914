"""From a record to the bytes that are chained: secrets out, whatever it holds made JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.audit.api import Record
from penstock.errors import AIMAuditLogError
from penstock.redact.forms import REPLACEMENT
from penstock.redact.redactor import Redactor

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_PROBE = "x" * 12
"""What a named secret could look like, to ask whether a name names one."""
_INT64 = range(-(1 << 63), 1 << 64)


def body_of(record: Record, redactor: Redactor) -> bytes:
    """Return the members of a record as JSON without the braces around them.

    Raises AIMAuditLogError for what cannot be written, such as a value that holds itself.
    """
    try:
        data = _ENCODER.encode(record)
    except (TypeError, ValueError, OverflowError, RecursionError):
        data = b""
    if not data or redactor.may_hold(data):
        data = _ENCODER.encode(_clean_record(record, redactor))
    return data[1:-1]


def _clean_record(record: Record, redactor: Redactor) -> dict[str, Any]:
    kind = str(record.__struct_config__.tag)
    try:
        return {"kind": kind, **_Cleaner(redactor).members(msgspec.structs.asdict(record))}
    except RecursionError as error:
        raise AIMAuditLogError(
            "an audit entry cannot be written: it is nested too deeply or holds itself"
        ) from error


class _Cleaner:
    """Rebuilds values without secrets; what JSON does not know becomes text."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[str, bool] = {}

    def members(self, mapping: Mapping[Any, Any]) -> dict[str, Any]:
        """Clean an object: a member whose name names a secret has its texts replaced."""
        clean: dict[str, Any] = {}
        for key, value in mapping.items():
            name = self._text(str(key))
            clean[name] = self._value(value, secret=self._names_secret(name))
        return clean

    def _value(self, value: Any, *, secret: bool) -> Any:
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            return value if value in _INT64 else str(value)
        if isinstance(value, Mapping):
            return self.members(value)
        if isinstance(value, msgspec.Struct):
            return self.members(msgspec.structs.asdict(value))
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._value(item, secret=secret) for item in value]
        return REPLACEMENT if secret and value else self._text(str(value))

    def _text(self, text: str) -> str:
        plain = text.encode("utf-8", "replace").decode("utf-8")
        return self._redactor.text(plain)

    def _names_secret(self, name: str) -> bool:
        if name not in self._names:
            line = f"{name}={_PROBE}"
            self._names[name] = self._redactor.text(line) != line
        return self._names[name]

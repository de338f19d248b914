"""The official schema of SARIF 2.1.0, applied."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMA = Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json"
# Its one sloppy expression has an unpaired bracket, which a strict engine refuses.
SLOPPY, STRICT = "[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$"


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    text = SCHEMA.read_text(encoding="utf-8")
    assert text.count(SLOPPY) > 0
    schema = json.loads(text.replace(SLOPPY, STRICT))
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def sarif_errors(log: Any) -> list[str]:
    """What is wrong with a SARIF log, formats of addresses and times included."""
    return [f"{list(e.instance_path)}: {e.message}" for e in _validator().iter_errors(log)]

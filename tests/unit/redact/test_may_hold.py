"""Asking cheaply whether there may be a secret never overlooks one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.redact.redactor import Redactor

VALUE = 'hunter2/the "value"\n'
SECRETS = (
    "sk-abcdefgh12345678", "AKIAABCDEFGHIJKL", "ghp_abcdefghij0123456789", "Bearer abcdef123",
    "github_pat_abcdefghij0123456789", "https://me:pass1@host/", "password=swordfish",
    "--token abc", "--api-key abc", "Authorization: Basic abcdef==", "client_secret: x1",
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", VALUE,
    "AIzaabcdefghijklmnopqrstuvwxyz0123456789",
)  # fmt: skip
REDACTOR = Redactor([VALUE])
PIECES = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(SECRETS)), max_size=4)


@given(PIECES)
def test_what_is_changed_was_asked_for(pieces: list[str]) -> None:
    """Whatever redaction would change may hold a secret, also in its JSON form."""
    text = "".join(pieces)
    if REDACTOR.text(text) != text:
        assert REDACTOR.may_hold(text.encode("utf-8", "surrogatepass"))
        assert REDACTOR.may_hold(json.dumps({"x": text}, ensure_ascii=False).encode())


def test_every_kind_of_secret_is_suspected() -> None:
    """Each known kind raises suspicion on its own, and plain text none."""
    for secret in SECRETS:
        assert REDACTOR.may_hold(secret.encode()), secret
    assert not REDACTOR.may_hold(b"Create a simple function with error handling")

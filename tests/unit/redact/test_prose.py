"""What somebody works by (a task, a patch, an error's words) loses secrets and nothing else."""

from __future__ import annotations

import base64
import html
import random
import shlex
import string

import pytest

from penstock.redact.names import is_certain, secret_values
from penstock.redact.redactor import Redactor

DRAW = random.Random(5)
WORD = "".join(DRAW.choices(string.ascii_letters + string.digits, k=40))
KEY = base64.b64encode(DRAW.randbytes(300)).decode()
PEM = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"
VALUE = 'it\'s <my> "own" & value-77'

STAYS = [
    "config/tool_profiles.json: token: must be a string",
    "use bearer authentication and --token NAME",
    "set password: str = Field(min_length=8)",
    "the API key is read from OPENAI_API_KEY",
    "raise ValueError(f'secret: {name}')",
    "input_tokens: 123",
    "",
]
GOES = [
    (f"push with ghp_{WORD[:36]} now", "push with [REDACTED] now"),
    (f"Authorization: Bearer {WORD}", "Authorization: Bearer [REDACTED]"),
    (f"password = '{WORD[:20]}'", "password = '[REDACTED]'"),  # penstock: allow-secret
    (f"https://me:{WORD[:12]}@host/x", "https://me:[REDACTED]@host/x"),  # penstock: allow-secret
    (f"key:\n{PEM}end", "key:\n[REDACTED]\nend"),
]


@pytest.mark.parametrize("text", STAYS)
def test_words_that_only_name_a_secret_stay(text: str) -> None:
    """A task and the words of an error must keep their meaning."""
    assert Redactor(()).prose(text) == text


@pytest.mark.parametrize(("text", "clean"), GOES)
def test_what_is_one_goes(text: str, clean: str) -> None:
    """Keys, tokens, passwords in addresses and plausible assigned values."""
    assert Redactor(()).prose(text) == clean


def test_known_values_go_too() -> None:
    """In every form, half a character elsewhere or not."""
    assert Redactor([VALUE]).prose(f"\ud800 {VALUE}") == "\ud800 [REDACTED]"


def test_a_patch_loses_what_it_adds_and_still_applies() -> None:
    """Lines that are in the file already must stay, or the patch would not apply."""
    key = f"ghp_{WORD[:36]}"
    patch = f"@@ -1,2 +1,2 @@\n-old {key}\n+new {key}\n same {key}\n".encode()
    clean = f"@@ -1,2 +1,2 @@\n-old {key}\n+new [REDACTED]\n same {key}\n".encode()
    assert Redactor(()).patch(patch) == clean


def test_a_patch_of_bytes_stays_bytes() -> None:
    """Nothing else changes, whatever the lines hold."""
    patch = b"+\xff\xfe\r\n+\r\n no newline\x00"
    assert Redactor(()).patch(patch) == patch


@pytest.mark.parametrize(
    "written",
    [
        html.escape(VALUE), html.escape(VALUE, quote=False), shlex.quote(VALUE)[1:-1],
        repr(VALUE)[1:-1], VALUE.encode().hex(), VALUE.encode().hex().upper(),
        "".join(f"\\u{ord(c):04x}" for c in VALUE), "".join(f"\\u{ord(c):04X}" for c in VALUE),
    ],
)  # fmt: skip
def test_forms_of_shells_pages_and_dumps_are_found(written: str) -> None:
    """A value is also known as HTML, a shell, Python, hexadecimal or escapes write it."""
    assert Redactor([VALUE]).text(f"a {written} b") == "a [REDACTED] b"


def test_the_lines_of_a_long_value_are_known_on_their_own() -> None:
    """A key in a variable is printed line by line, with other indents."""
    lines = "\n".join(KEY[at : at + 64] for at in range(0, 256, 64))
    clean = Redactor([f"-----BEGIN X-----\n{lines}\n"]).text(f"log: {KEY[64:128]}")
    assert clean == "log: [REDACTED]"


def test_the_rest_of_a_key_whose_beginning_was_cut_off_goes() -> None:
    """The end of an output may begin in the midst of a private key."""
    rest = f"a line\n{KEY[:64]}\n{KEY[64:128]}\n-----END RSA PRIVATE KEY-----\nafter\n"
    assert Redactor(()).text(rest) == "a line\n[REDACTED]\nafter\n"
    whole = f"{PEM}x\n"
    assert Redactor(()).text(whole) == "[REDACTED]\nx\n"


@pytest.mark.parametrize(
    ("value", "certain"),
    [("a1b2c3d4e5f6", True), ("postgres-migration", False), ("123456789012", False), ("/home/me/1234567", False), ("short1", False)],
)  # fmt: skip
def test_only_what_no_word_could_be_is_certain(value: str, certain: bool) -> None:
    """Long enough, with letters and digits, and no path."""
    assert is_certain(value) is certain


def test_secrets_of_an_environment_are_known_by_name_or_place() -> None:
    """Names that say secret, and passwords in addresses under other names."""
    environ = {
        "MY_API_KEY": "one", "GH_TOKEN": "two", "HOME": "/home/me",
        "DATABASE_URL": "postgres://u:three@h/d", "HTTP_PROXY": "http://proxy:8080/",
    }  # fmt: skip
    assert secret_values(environ) == ("one", "two", "three")

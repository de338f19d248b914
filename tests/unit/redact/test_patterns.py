"""What looks like a secret is replaced, and what does not is left alone."""

from __future__ import annotations

import pytest

from penstock.redact.redactor import Redactor

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7Vd\nQyXb+/w=\n-----END RSA PRIVATE KEY-----"
)

REPLACED = [
    ("use sk-proj-Ab12_cd-34EF now", "use [REDACTED] now"),
    ("AKIAIOSFODNN7EXAMPLE", "[REDACTED]"),
    ("ghp_0123456789abcdefABCD.", "[REDACTED]."),
    ("gho_0123456789abcdefABCD", "[REDACTED]"),
    ("github_pat_11ABCDEFG0_abcdefghij", "[REDACTED]"),
    ("AIzaSyA-0123456789_abcdefghijklmnopqrs", "[REDACTED]"),
    ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [REDACTED]"),
    ("authorization: basic dXNlcjpwYXNz", "authorization: basic [REDACTED]"),
    ("password=hunter2", "password=[REDACTED]"),
    ("PASSWORD: hunter2", "PASSWORD: [REDACTED]"),
    ("db_passwd = 'a b c'", "db_passwd = '[REDACTED]'"),
    ("GITHUB_TOKEN=abc&x=1", "GITHUB_TOKEN=[REDACTED]&x=1"),
    ('{"clientSecret": "a\\"b", "n": 1}', '{"clientSecret": "[REDACTED]", "n": 1}'),
    ('{\\"token\\": \\"a b\\", \\"n\\": 1}', '{\\"token\\": \\"[REDACTED]\\", \\"n\\": 1}'),
    ("x-api-key: 12ab, next", "x-api-key: [REDACTED], next"),
    ("apiKey => z9)", "apiKey => [REDACTED])"),
    ("AWS_SECRET_ACCESS_KEY=wJalr/X+Y=", "AWS_SECRET_ACCESS_KEY=[REDACTED]"),
    ("secret='never closed", "secret='[REDACTED]"),
    ("tool --token abc --n 1", "tool --token [REDACTED] --n 1"),
    ("https://me:pw@host/x", "https://me:[REDACTED]@host/x"),
    (f"a\n{KEY}\nb", "a\n[REDACTED]\nb"),
    (f"a{KEY}b", "a[REDACTED]\nb"),
    (f"{{k: {KEY!r}}}", "{k: '[REDACTED]'}"),
]

LEFT_ALONE = [
    "input_tokens: 123, output_tokens=4, max_tokens 8",
    '{"usage": {"total_tokens": 12}}',
    "the task-12 of desk-research is done",
    "if token == expected: pass",
    "password = [",
    "no password given; the secret is out",
    "https://host:8080/path and me@host",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "",
    "\n\n",
]


@pytest.mark.parametrize(("text", "clean"), REPLACED)
def test_a_secret_is_replaced_and_its_name_is_kept(text: str, clean: str) -> None:
    """Only the secret itself gives way."""
    assert Redactor(()).text(text) == clean


@pytest.mark.parametrize(("_text", "clean"), REPLACED)
def test_clean_text_stays_as_it_is(_text: str, clean: str) -> None:
    """Redacting twice is redacting once."""
    assert Redactor(()).text(clean) == clean


@pytest.mark.parametrize(("text", "clean"), REPLACED)
def test_cut_anywhere_a_secret_is_still_replaced(text: str, clean: str) -> None:
    """Wherever a stream is cut in two, every secret in it is found."""
    data = text.encode()
    for cut in range(len(data) + 1):
        stream = Redactor(()).stream()
        found = stream.feed(data[:cut]) + stream.feed(data[cut:]) + stream.flush()
        assert found.decode() == clean, cut


def test_secrets_one_behind_the_other_all_go() -> None:
    """Several secrets in a line, also of several kinds and overlapping, are all replaced."""
    text = "password=sk-abcdefgh12 token: Bearer abcdefg, secret=x;api_key='y' https://a:b@c"
    clean = Redactor(()).text(text)
    assert [word for word in ("sk-", "abcdefg", "=x", "'y'", ":b@") if word in clean] == []
    assert clean.endswith("secret=[REDACTED];api_key='[REDACTED]' https://a:[REDACTED]@c")


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    """Token counts, comparisons, ports and public keys are no secrets."""
    assert Redactor(()).text(text) == text


def test_the_value_after_a_flag_is_replaced_in_an_argument_list() -> None:
    """An argument list loses the value of --token and --api-key, and nothing else."""
    argv = ("tool", "--token", "abc", "--api-key=xyz", "-v", "--token", "--quiet", "file")
    clean = ("tool", "--token", "[REDACTED]", "--api-key=[REDACTED]", "-v", "--token", "--quiet")
    assert Redactor(()).argv(argv) == (*clean, "file")


def test_a_key_without_an_end_takes_only_its_body() -> None:
    """After a key that breaks off, the first line that is no part of it is kept."""
    text = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n\nand then: it went on\n"
    assert Redactor(()).text(text) == "[REDACTED]\nand then: it went on\n"


def test_a_key_with_headers_goes_whole() -> None:
    """The header lines of an encrypted key belong to it."""
    head = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES,1\n\n"
    text = head + "MIIEpAIBAAKCAQEA7Vd\n-----END RSA PRIVATE KEY-----\nafter\n"
    assert Redactor(()).text(text) == "[REDACTED]\nafter\n"


@pytest.mark.parametrize("name", ["password", "secret", "token", "api_key", "access-key"])
@pytest.mark.parametrize("sign", ["=", ":", " = ", ": ", ":="])
def test_every_name_and_sign_of_an_assignment_counts(name: str, sign: str) -> None:
    """A value is taken whatever the name and the sign before it."""
    assert Redactor(()).text(f"{name}{sign}v4lue!") == f"{name}{sign}[REDACTED]"

"""In which forms a value is seen to be given to a name, and which names say secret."""

from __future__ import annotations

import pytest

from penstock.leaks.assignments import assigned

VALUE = b"x9f3k2m8q7w1z5"

FORMS = (
    "password={v}", "password = {v}", "password: {v}", 'password: "{v}"', "password := '{v}'",
    "export DB_PASSWORD={v}", '"password": "{v}",', "'password' => '{v}'", "{{\\\"password\\\": \\\"{v}\\\"}}",
    'os.environ["DB_PASSWORD"] = "{v}"', 'password: str = "{v}"', 'f(1, password="{v}")',
    'set("password", "{v}")', "--password {v}", "--password={v}", "ENV PASSWORD {v}",
    "<password>{v}</password>", "?user=a&password={v}&x=1", "spring.datasource.password={v}",
    '- name: DB_PASSWORD\n  value: "{v}"', '{{"name": "PASSWORD", "value": "{v}"}}',
    '<add key="Password" value="{v}"/>', '#define PASSWORD "{v}"', "password = b'{v}'", "password={v}\\n",
    "password=`{v}`", 'password == "{v}"',
)  # fmt: skip


def found(text: bytes) -> list[tuple[bytes, bool, bool]]:
    """The values, whether they are in quotes, and whether they are passwords."""
    lowered = text.lower()
    return [(lowered[one.start : one.end], one.quoted, one.password) for one in assigned(lowered)]


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_seen_in_the_forms_of_programs_and_settings(form: str) -> None:
    """In languages, formats, command lines and addresses."""
    text = form.format(v=VALUE.decode()).encode()
    assert VALUE in [value for value, _, _ in found(text)]


def test_it_is_told_whether_there_are_quotes() -> None:
    """Without them it may be code."""
    assert found(b"password = '" + VALUE + b"'") == [(VALUE, True, True)]
    assert found(b"password = " + VALUE) == [(VALUE, False, True)]


@pytest.mark.parametrize(
    "name",
    [
        "password", "DB_PASSWORD", "smtpPassword", "passwd", "pwd", "db_pass", "passphrase", "PASSWORD_PROD",
        "password2", "root_pwd", "user.password",
    ],
)  # fmt: skip
def test_names_of_passwords(name: str) -> None:
    """Whole words, in any case and joined in any way."""
    assert found(name.encode() + b"='" + VALUE + b"'") == [(VALUE, True, True)]


@pytest.mark.parametrize(
    "name",
    [
        "secret", "API_KEY", "apiKey", "auth-token", "client_secret", "SECRET_KEY_BASE", "secretAccessKey",
        "encryption_key", "token", "x-api-key", "key", "credentials", "stripe.apikey", "JWT_SECRET_2",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    """Keys that open something, tokens, secrets."""
    assert (VALUE, True, False) in found(name.encode() + b"='" + VALUE + b"'")


@pytest.mark.parametrize(
    "name",
    [
        "password_hash", "password_file", "bypass", "compass", "passport", "iam:PassedTo", "monkey", "keyboard",
        "token_type", "tokenizer", "secret_name", "public_key", "next_token", "foreign_key",
        "sort-key", "PageToken", "secretary", "keys_path", "sec-websocket-key", "htpassword_url",
    ],
)  # fmt: skip
def test_names_that_say_nothing_of_a_secret(name: str) -> None:
    """Words that hold such a word, and names of what is beside a secret."""
    assert found(name.encode() + b"='" + VALUE + b"'") == []


@pytest.mark.parametrize("value", ["short1", "two words1 x", "x" * 300 + "1"])
def test_values_have_eight_to_256_bytes_without_blanks(value: str) -> None:
    """All else is no secret, or not one alone."""
    assert found(b"password='" + value.encode() + b"'") == []


def test_values_of_letters_alone_are_seen_when_asked_for() -> None:
    """Else the search itself leaves them out, which is most of the work."""
    text = b"password = 'correct.horse'"
    assert list(assigned(text)) == []
    assert [text[one.start : one.end] for one in assigned(text, words=True)] == [b"correct.horse"]


def test_the_context_is_what_stands_before_the_value() -> None:
    """A hundred bytes of it, in which a provider may be named."""
    text = b"z" * 200 + b"\nacme:\n  token: " + VALUE
    (one,) = assigned(text)
    context = one.context(text)
    assert len(context) == 100
    assert context.endswith(b"acme:\n  token: ")

"""What the finder finds, where, and what it leaves alone."""

from __future__ import annotations

import base64
import random
import threading

import pytest

from penstock.leaks.match import Leak, LeakFinder
from penstock.leaks.rules import RULES
from tests.support.leak_kinds import ALNUM, HEX, KINDS, text

FINDER = LeakFinder()


def drawn(size: int, alphabet: str = ALNUM, seed: int = 7) -> bytes:
    """Characters drawn from an alphabet, the same for a seed."""
    return text(random.Random(seed), alphabet, size).encode()


TOKEN = b"ghp" + b"_" + drawn(36)
STRIPE = b"sk" + b"_live_" + drawn(24)


def ids(data: bytes, finder: LeakFinder = FINDER) -> list[str]:
    """The rules of what is found."""
    return [leak.rule_id for leak in finder.find(data)]


def test_a_token_is_found_with_its_place() -> None:
    """Offsets count bytes, line and column count from 1."""
    data = b"# \xc3\xa9\nA = 1\n  t = '" + TOKEN + b"'\n"
    start = data.index(TOKEN)
    end = start + len(TOKEN)
    assert FINDER.find(data) == [Leak("github-token", start, end, 3, 8, TOKEN, "GitHub token")]


def test_all_of_a_line_and_of_a_text_are_found_in_order() -> None:
    """Two in a line and one in another are three findings, first things first."""
    data = b"a = '" + STRIPE + b"', '" + TOKEN + b"'\n\nb: " + TOKEN
    assert [(leak.rule_id, leak.line) for leak in FINDER.find(data)] == [
        ("stripe-key", 1),
        ("github-token", 1),
        ("github-token", 3),
    ]


def test_a_secret_that_two_rules_know_is_one_finding() -> None:
    """The rule that knows the shape counts, not the one that knows the name."""
    assert ids(b"stripe_api_key: " + STRIPE + b"\n") == ["stripe-key"]


def test_what_begins_first_and_is_longest_counts() -> None:
    """A key of Anthropic also begins as those of OpenAI do, and is one finding."""
    value = b"sk-" + b"ant-api03-" + drawn(95)
    (leak,) = FINDER.find(b"x " + value + b" y")
    assert (leak.rule_id, leak.value) == ("anthropic-key", value)


def test_a_name_tells_whose_key_it_is() -> None:
    """Hexadecimal digits are the key of the provider that is named before them."""
    value = drawn(32, HEX)
    assert ids(b"DATADOG_API_KEY=" + value) == ["datadog-named-key"]
    assert ids(b"API_KEY=" + value) == ["assigned-secret"]
    assert ids(b"digest=" + value) == []


def test_a_uuid_is_a_secret_only_with_its_providers_name() -> None:
    """Else it is what identifies something."""
    value = b"1f6c1b5e-93d2-4bd1-a3c5-0d5a7be4c9f2"
    assert ids(b"heroku:\n  api_key: " + value) == ["heroku-named-key"]
    assert ids(b"acme:\n  api_key: " + value) == []


def test_a_value_of_no_providers_shape_is_judged_as_any_other() -> None:
    """A provider's name before it takes nothing away."""
    assert ids(b"datadog_token = '" + drawn(27) + b"'") == ["assigned-secret"]


def test_clean_text_has_no_findings() -> None:
    """Names, calls, references and examples are no secrets."""
    data = b"""
password = getpass("Password: ")
token = request.headers.get("authorization")
api_key: ${API_KEY}
secret = "<your secret>"
key = "primary_key_column"
url = "https://user:password@example.org/"
public_key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O"
Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=
"""
    assert FINDER.find(data) == []


def test_an_example_is_found_when_everything_is_asked_for() -> None:
    """The level `all` reports placeholders and weak values."""
    data = b"aws = AKIAIOSFODNN7EXAMPLE\npassword = 'changeme'\nkey = 'correcthorse'\n"
    everything = LeakFinder(level="all")
    assert ids(data) == []
    assert ids(data, everything) == ["aws-access-key-id", "assigned-password", "assigned-secret"]


def test_the_level_certain_reports_shapes_only() -> None:
    """Assignments and addresses need the level `default`."""
    said = b"password = 'xK9#mP2$vL5n'\nu = 'ftp://a:s3Cr9tV4lue@h.net'"  # penstock: allow-secret
    data = said + b"\nt = '" + TOKEN + b"'"
    assert ids(data, LeakFinder(level="certain")) == ["github-token"]
    assert ids(data) == ["assigned-password", "address-with-password", "github-token"]


def test_a_finder_uses_the_rules_it_is_given() -> None:
    """Any selection of the rules will do, none included."""
    some = [rule for rule in RULES if rule.id == "stripe-key"]
    data = b"key: " + STRIPE + b" " + TOKEN + b" password='xK9#mP2$vL5n'"  # penstock: allow-secret
    assert ids(data, LeakFinder(some)) == ["stripe-key"]
    assert ids(data, LeakFinder([])) == []


@pytest.mark.parametrize("escape", [b"\\n", b"\\t", b"%3D", b"\\u003d", b"=", b'\\"', b"\x1b[32m"])
def test_a_token_may_stand_behind_an_escape_sequence(escape: bytes) -> None:
    """What is left of an escape sequence is no beginning of a word."""
    assert ids(b"x" + escape + TOKEN + b"\\n") == ["github-token"]


def test_a_token_must_look_drawn() -> None:
    """One symbol or two in any order are typed."""
    assert ids(b"t = " + b"ghp" + b"_" + b"abbabaabbbabaabbaabababbaabbbaaababb") == []


def test_a_token_within_a_word_is_none() -> None:
    """Nor is one that goes on."""
    assert ids(b"x" + TOKEN) == []
    assert ids(b"t = " + b"npm" + b"_" + drawn(50)) == []


def test_a_private_key_is_one_finding_whatever_is_between_its_lines() -> None:
    """In armour, in JSON, as lines of a program: the base64 of the key is the value."""
    key = KINDS["private key"].draw(random.Random(3))
    quoted = "".join(f'    "{line}\\n"\n' for line in key.splitlines())
    for form in (key, key.replace("\n", "\\n"), key.replace("\n", "\r\n"), quoted):
        assert ids(b"k = '" + form.encode() + b"'") == ["private-key"]


def test_an_encoded_private_key_is_found() -> None:
    """As the secrets of Kubernetes hold it."""
    key = KINDS["private key"].draw(random.Random(4)).encode()
    assert ids(b"  tls.key: " + base64.b64encode(key)) == ["private-key-in-base64"]


PASSWORD = b"Xk29vLq8Zt"  # penstock: allow-secret


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'{"auths": {"r.acme.net": {"auth": "' + base64.b64encode(b"bob:" + PASSWORD) + b'"}}}', "docker-registry-password"),
        (b"//r.acme.net/:_authToken=1f6c1b5e-93d2-4bd1-a3c5-0d5a7be4c9f2", "npm-registry-token"),  # penstock: allow-secret
        (b"curl -s -u bob:" + PASSWORD + b" https://api.acme.net", "command-with-password"),
        (b"sshpass -p " + PASSWORD + b" ssh bob@h", "command-with-password"),
        (b"mysqldump -u root -p" + PASSWORD + b" app", "command-with-password"),
        (b"CREATE USER bob IDENTIFIED BY '" + PASSWORD + b"';", "database-user-password"),
        (b"machine api.acme.net login bob password " + PASSWORD, "assigned-password"),
        (b"key = bytes.fromhex('" + drawn(32, HEX) + b"')", "assigned-secret"),
        (b"SECRET_KEY = '8^x@2k!f7q$w1z5#m9v0b3n6p4l(o)i*u&yt%r-e=d+c_a'", "assigned-secret"),  # penstock: allow-secret
        (b'headers["Authorization"] = "Bearer ' + drawn(24) + b'"', "authorization-header"),
    ],
)  # fmt: skip
def test_secrets_are_known_by_what_is_around_them(text: bytes, rule: str) -> None:
    """In files of credentials, commands, statements and headers."""
    assert ids(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        b"the module identified by 'fullname'.", b"curl -u bob:$PASSWORD https://h", b"mysql -u root -p app",
        b"db = 'mysql://bob:wachtwoord@h.net/x'", b"Authorization: Bearer <your token 1>",
        b'"auth": "dXNlcm5hbWU6cGFzc3dvcmQ="', b"key=DPCode.SWITCH_USB6,", b"self.p4passwd = p4passwd",
        b'if key == "ibmDb2LuwSettings":', b'key = "nyc-taxi/2015/yellow_tripdata_2015-01.csv"',
    ],
)  # fmt: skip
def test_what_looks_like_them_is_none(text: bytes) -> None:
    """Words, variables, names that are handed on, keys of dictionaries, paths."""
    assert ids(text) == []


def test_one_finder_serves_many_threads() -> None:
    """It has no state: all find the same."""
    data = (b"a = 1\n" * 50 + b"t = '" + TOKEN + b"'\n") * 20
    expected, got = FINDER.find(data), list[list[Leak]]()
    threads = [threading.Thread(target=lambda: got.append(FINDER.find(data))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected] * 4

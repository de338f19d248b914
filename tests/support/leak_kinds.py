"""Secrets of many kinds, drawn at random as their providers describe them.

Nothing here comes from the rules: what a provider says of its keys is written down a second time,
so that a rule with a mistake misses what is drawn.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
LETTERS = string.ascii_letters
ALNUM = LETTERS + DIGITS
URL = ALNUM + "-_"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
BASE32 = UPPER + "234567"
SYMBOLS = "!@#$%^&*-_+?"

Draw = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret: how it is drawn, and the names that such values are given."""

    name: str
    draw: Draw
    names: tuple[str, ...]
    shaped: bool = True
    lines: bool = False


def text(rng: random.Random, alphabet: str, size: int) -> str:
    """Characters drawn from an alphabet."""
    return "".join(rng.choice(alphabet) for _ in range(size))


def uuid4(rng: random.Random) -> str:
    """A random UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def after(prefix: str, alphabet: str, *sizes: int) -> Draw:
    """A prefix, then characters of an alphabet, of one of the sizes."""
    return lambda rng: prefix + text(rng, alphabet, rng.choice(sizes))


def raw64(rng: random.Random, size: int) -> str:
    """Random bytes in base64."""
    return base64.b64encode(rng.randbytes(size)).decode()


def url64(data: bytes) -> str:
    """Bytes in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def github(rng: random.Random) -> str:
    """A token with the checksum at its end that GitHub describes."""
    body = text(rng, ALNUM, 30)
    number, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = (DIGITS + UPPER + LOWER)[digit] + check
    return rng.choice(("ghp", "gho", "ghu", "ghs", "ghr")) + "_" + body + check


def web_token(rng: random.Random) -> str:
    """A signed JSON web token."""
    header = {"alg": rng.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}
    claims = {
        "sub": text(rng, DIGITS, 10),
        "name": text(rng, LOWER, 8),
        "iat": rng.randrange(10**9),
    }
    parts = [url64(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join((*parts, url64(rng.randbytes(rng.choice((32, 64, 256))))))


def armoured(rng: random.Random) -> str:
    """A private key in PEM armour."""
    label = rng.choice(("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    body = raw64(rng, rng.choice((121, 300, 1190)))
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"))


def slack_token(rng: random.Random) -> str:
    """A token of a bot, a user or an app."""
    numbers = f"{text(rng, DIGITS[1:], 12)}-{text(rng, DIGITS[1:], 13)}"
    return rng.choice(
        (
            f"xoxb-{numbers}-{text(rng, ALNUM, 24)}",
            f"xoxp-{numbers}-{text(rng, DIGITS[1:], 12)}-{text(rng, HEX, 32)}",
            f"xapp-1-A{text(rng, UPPER + DIGITS, 10)}-{text(rng, DIGITS[1:], 13)}-{text(rng, HEX, 64)}",
        )
    )


def discord(rng: random.Random) -> str:
    """A bot's token: its number in base64, a time stamp, a signature."""
    number = str(rng.randrange(3 * 10**17, 13 * 10**17)).encode()
    return f"{url64(number)}.{url64(rng.randbytes(4))}.{url64(rng.randbytes(28))}"


def openai(rng: random.Random) -> str:
    """A key of a user, of a project or of a service account."""
    mark = "T3Blb" + "kFJ"
    if rng.random() < 0.3:
        return f"sk-{text(rng, ALNUM, 20)}{mark}{text(rng, ALNUM, 20)}"
    size = rng.choice((58, 74))
    owner = rng.choice(("proj", "svcacct", "admin"))
    return f"sk-{owner}-{text(rng, URL, size)}{mark}{text(rng, URL, size)}"


def azure_storage(rng: random.Random) -> str:
    """A connection string with the key of a storage account."""
    return (
        f"DefaultEndpointsProtocol=https;AccountName={text(rng, LOWER, 9)};"
        f"AccountKey={raw64(rng, 64)};EndpointSuffix=core.windows.net"
    )


def database_url(rng: random.Random) -> str:
    """An address of a database with a user's password in it."""
    scheme, port = rng.choice(
        (("postgresql", 5432), ("mysql", 3306), ("mongodb", 27017), ("redis", 6379))
    )
    password = text(rng, ALNUM + "-_.!", rng.randrange(10, 24))
    return f"{scheme}://{text(rng, LOWER, 6)}:{password}@db.{text(rng, LOWER, 7)}.net:{port}/main"


def password(rng: random.Random) -> str:
    """A password as a generator of passwords makes one."""
    while True:
        value = text(rng, ALNUM + rng.choice(("", SYMBOLS)), rng.randrange(10, 21))
        if any(c in DIGITS for c in value) and any(c in LETTERS for c in value):
            return value


_KEY_NAMES = ("API_KEY", "api_key", "apiKey", "token", "auth_token", "ACCESS_TOKEN", "secret")
_PASSWORDS = (
    "password",
    "DB_PASSWORD",
    "db_password",
    "smtpPassword",
    "POSTGRES_PASSWORD",
    "passwd",
    "admin_password",
    "MYSQL_ROOT_PASSWORD",
    "REDIS_PASSWORD",
    "pwd",
)
_HEX_KEYS = (
    "SECRET_KEY",
    "secret_key",
    "ENCRYPTION_KEY",
    "signingKey",
    "session_secret",
    "API_SECRET",
    "hmac_key",
    "auth_token",
    "APP_KEY",
    "jwt_secret",
    "master_key",
    "client_secret",
)


def _with(*words: str) -> tuple[str, ...]:
    return tuple(
        f"{word}_{name}"
        for word in words
        for name in ("API_KEY", "TOKEN", "api_key", "token", "secret")
    )


SHAPED: tuple[Kind, ...] = (
    Kind(
        "aws access key",
        lambda r: r.choice(("AKIA", "ASIA")) + text(r, BASE32, 16),
        ("aws_access_key_id", "AWS_ACCESS_KEY_ID"),
    ),
    Kind("github token", github, _with("GITHUB", "gh")),
    Kind(
        "github fine-grained token",
        lambda r: f"github_pat_{text(r, ALNUM, 22)}_{text(r, ALNUM, 59)}",
        _with("GITHUB"),
    ),
    Kind("gitlab token", after("glpat-", URL, 20), _with("GITLAB")),
    Kind("slack token", slack_token, _with("SLACK")),
    Kind(
        "slack webhook",
        lambda r: (
            f"https://hooks.slack.com/services/T{text(r, UPPER + DIGITS, 10)}/B{text(r, UPPER + DIGITS, 10)}/{text(r, ALNUM, 24)}"
        ),
        ("SLACK_WEBHOOK_URL", "webhook"),
    ),
    Kind(
        "stripe key",
        lambda r: r.choice(("sk", "rk")) + "_live_" + text(r, ALNUM, r.choice((24, 99))),
        _with("STRIPE"),
    ),
    Kind("google api key", after("AIza", URL, 35), _with("GOOGLE", "FIREBASE")),
    Kind(
        "google client secret", after("GOCSPX-", URL, 28), ("client_secret", "GOOGLE_CLIENT_SECRET")
    ),
    Kind("openai key", openai, _with("OPENAI")),
    Kind("anthropic key", lambda r: f"sk-ant-api03-{text(r, URL, 93)}AA", _with("ANTHROPIC")),
    Kind("groq key", after("gsk_", ALNUM, 52), _with("GROQ")),
    Kind("hugging face token", after("hf_", LETTERS, 34), _with("HF", "huggingface")),
    Kind("replicate token", after("r8_", ALNUM, 37), _with("REPLICATE")),
    Kind("sendgrid key", lambda r: f"SG.{text(r, URL, 22)}.{text(r, URL, 43)}", _with("SENDGRID")),
    Kind("twilio key", after("SK", HEX, 32), _with("TWILIO")),
    Kind(
        "mailchimp key", lambda r: f"{text(r, HEX, 32)}-us{r.randrange(1, 22)}", _with("MAILCHIMP")
    ),
    Kind("mailgun key", after("key-", HEX, 32), _with("MAILGUN")),
    Kind(
        "telegram token",
        lambda r: f"{text(r, DIGITS[1:], r.choice((9, 10)))}:AA{text(r, URL, 33)}",
        _with("TELEGRAM"),
    ),
    Kind("discord token", discord, _with("DISCORD")),
    Kind("npm token", after("npm_", ALNUM, 36), ("_authToken", "NPM_TOKEN")),
    Kind(
        "pypi token",
        lambda r: "pypi-" + url64(b"\x02\x01\x08pypi\x2eorg\x02\x24" + r.randbytes(120)),
        ("password", "PYPI_TOKEN"),
    ),
    Kind("docker token", after("dckr_pat_", URL, 27), _with("DOCKER")),
    Kind("digitalocean token", after("dop_v1_", HEX, 64), _with("DIGITALOCEAN")),
    Kind("databricks token", after("dapi", HEX, 32), _with("DATABRICKS")),
    Kind("vault token", after("hvs.", URL, 95), ("VAULT_TOKEN",)),
    Kind(
        "terraform token",
        lambda r: f"{text(r, ALNUM, 14)}.atlasv1.{text(r, ALNUM, 67)}",
        ("token", "TFE_TOKEN"),
    ),
    Kind("doppler token", after("dp.pt.", ALNUM, 43), _with("DOPPLER")),
    Kind("shopify token", after("shpat_", HEX, 32), _with("SHOPIFY")),
    Kind("square token", after("sq0atp-", URL, 22), _with("SQUARE")),
    Kind("new relic key", after("NRAK-", UPPER + DIGITS, 27), _with("NEW_RELIC")),
    Kind(
        "grafana token", lambda r: f"glsa_{text(r, ALNUM, 32)}_{text(r, HEX, 8)}", _with("GRAFANA")
    ),
    Kind("linear key", after("lin_api_", ALNUM, 40), _with("LINEAR")),
    Kind("notion token", after("ntn_", ALNUM, 46), _with("NOTION")),
    Kind("figma token", after("figd_", URL, 40), _with("FIGMA")),
    Kind("postman key", lambda r: f"PMAK-{text(r, HEX, 24)}-{text(r, HEX, 34)}", _with("POSTMAN")),
    Kind(
        "airtable token", lambda r: f"pat{text(r, ALNUM, 14)}.{text(r, HEX, 64)}", _with("AIRTABLE")
    ),
    Kind("sentry token", after("sntryu_", HEX, 64), _with("SENTRY")),
    Kind(
        "azure storage key", azure_storage, ("AZURE_STORAGE_CONNECTION_STRING", "connectionString")
    ),
    Kind(
        "azure client secret",
        lambda r: f"{text(r, ALNUM, 3)}8Q~{text(r, ALNUM + '_~.-', 33)}{text(r, ALNUM, 1)}",
        ("AZURE_CLIENT_SECRET", "clientSecret"),
    ),
    Kind("rubygems key", after("rubygems_", HEX, 48), _with("RUBYGEMS")),
    Kind("web token", web_token, ("jwt", "token", "id_token")),
    Kind("private key", armoured, ("private_key",), lines=True),
    Kind("address of a database", database_url, ("DATABASE_URL", "url", "dsn")),
)

SHAPELESS: tuple[Kind, ...] = (
    Kind("password", password, _PASSWORDS, shaped=False),
    Kind("hex key", lambda r: text(r, HEX, r.choice((32, 40, 64))), _HEX_KEYS, shaped=False),
    Kind("base64 key", lambda r: raw64(r, r.choice((16, 24, 32, 48))), _HEX_KEYS, shaped=False),
    Kind(
        "drawn token",
        lambda r: text(r, ALNUM, r.randrange(20, 44)),
        (*_KEY_NAMES, *_HEX_KEYS),
        shaped=False,
    ),
    Kind(
        "aws secret key",
        lambda r: raw64(r, 30),
        ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey"),
        shaped=False,
    ),
    Kind(
        "datadog key", lambda r: text(r, HEX, 32), ("DD_API_KEY", "datadog_api_key"), shaped=False
    ),
    Kind(
        "twilio auth token",
        lambda r: text(r, HEX, 32),
        ("TWILIO_AUTH_TOKEN", "twilio_auth_token"),
        shaped=False,
    ),
    Kind("heroku key", uuid4, ("HEROKU_API_KEY", "heroku_api_key"), shaped=False),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (*SHAPED, *SHAPELESS)}

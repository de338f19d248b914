"""Shapes of keys that are told from other drawn values only by their provider's name before them.

Hexadecimal digits or a UUID alone may be anything. Where something that is called a key or a token
gets such a value, and the provider is named in the name or shortly before it, it is that
provider's.
"""

from __future__ import annotations

import re

from penstock.leaks.rule import Rule

_HEX32 = rb"[0-9a-f]{32}"
_HEX40 = rb"[0-9a-f]{40}"
_HEX64 = rb"[0-9a-f]{64}"
_UUID = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def _named(provider: str, shape: bytes, *words: bytes, what: str = "key") -> Rule:
    name = re.sub("[^a-z0-9]+", "-", provider.lower())
    return Rule(
        id=f"{name}-named-{what.replace(' ', '-')}",
        title=f"{provider} {what}",
        keywords=words or (provider.lower().encode(),),
        pattern=shape,
        entropy=3.0,
        level="default",
        provider=provider,
        named=True,
    )


PROVIDERS: tuple[Rule, ...] = (
    _named(
        "AWS",
        rb"[A-Za-z0-9/+]{40}",
        b"aws",
        b"amazon",
        b"secretaccesskey",
        b"secret_access_key",
        what="secret access key",
    ),
    _named("Cloudflare", rb"[0-9a-f]{37}|[A-Za-z0-9_-]{40}", b"cloudflare", b"cf_api"),
    _named("Datadog", _HEX32 + b"|" + _HEX40, b"datadog", b"dd_api", b"dd_app"),
    _named("Heroku", _UUID),
    _named("Twilio", _HEX32, what="auth token"),
    _named("Algolia", _HEX32),
    _named("Alibaba Cloud", rb"[A-Za-z0-9]{30}", b"alibaba", b"aliyun", what="secret"),
    _named("Fastly", rb"[A-Za-z0-9_-]{32}"),
    _named("Linode", _HEX64),
    _named("Vultr", rb"[A-Z0-9]{36}"),
    _named("Hetzner", rb"[A-Za-z0-9]{64}", b"hetzner", b"hcloud"),
    _named("Scaleway", _UUID, b"scaleway", b"scw_secret"),
    _named("Cloudinary", rb"[A-Za-z0-9_-]{27}"),
    _named("Trello", _HEX32 + b"|" + _HEX64),
    _named("Okta", rb"00[A-Za-z0-9_-]{40}", what="token"),
    _named("Auth0", rb"[A-Za-z0-9_-]{64}", what="client secret"),
    _named("Jenkins", rb"[0-9a-f]{32,34}", what="token"),
    _named("Sonar", _HEX40, what="token"),
    _named("Snyk", _UUID, what="token"),
    _named("Codecov", _UUID, what="token"),
    _named("Postmark", _UUID, what="token"),
    _named("Splunk", _UUID, b"splunk", b"hec_token", what="token"),
    _named("Opsgenie", _UUID),
    _named("Loggly", _UUID, what="token"),
    _named("Rollbar", _HEX32, what="token"),
    _named("Bugsnag", _HEX32),
    _named("Sumo Logic", rb"[A-Za-z0-9]{64}", b"sumo"),
    _named("PagerDuty", rb"[A-Za-z0-9_+-]{20}"),
    _named("Amplitude", _HEX32),
    _named("Mixpanel", _HEX32),
    _named("Spotify", _HEX32, what="client secret"),
    _named("Facebook", _HEX32, what="app secret"),
    _named("Twitter", rb"[A-Za-z0-9]{35,50}", what="secret"),
    _named("Zendesk", rb"[A-Za-z0-9]{40}", what="token"),
    _named("Mailjet", _HEX32),
    _named("MessageBird", rb"[A-Za-z0-9]{25}"),
    _named("Vonage", rb"[A-Za-z0-9]{16}", b"vonage", b"nexmo", what="secret"),
    _named("Pusher", rb"[0-9a-f]{20}", what="secret"),
    _named("Coinbase", rb"[A-Za-z0-9]{64}|[A-Za-z0-9+/]{86}==", what="secret"),
    _named("Binance", rb"[A-Za-z0-9]{64}"),
    _named("Infura", _HEX32),
    _named("Etherscan", rb"[A-Z0-9]{34}"),
    _named("OpenWeather", _HEX32),
    _named("Cohere", rb"[A-Za-z0-9]{40}"),
    _named("Mistral", rb"[A-Za-z0-9]{32}"),
    _named("Weights & Biases", _HEX40, b"wandb"),
    _named("AssemblyAI", _HEX32),
    _named("Deepgram", _HEX40),
    _named("Azure", rb"[0-9a-f]{32}|[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}="),
)

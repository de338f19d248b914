"""Names that tell a path or a symbol from other words."""

from __future__ import annotations

import re
from typing import Final


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


EXTENSIONS: Final = words(
    """
    adoc asm astro avsc awk bash bat bazel bicep bzl c cc cfg cjs clj cljs cmake cmd conf config cpp
    cr cs cshtml csproj css csv cts cue cxx d dart diff djhtml dockerfile ejs elm env erb erl ex exs
    fish fs fsproj fsx gd gemspec go gql gradle graphql groovy h haml hbs hcl hh hpp hrl hs htm html
    hxx ini ipynb j2 java jinja jinja2 jl js json json5 jsonc jsonl jsx kt kts less lock log lua m
    mak markdown md mdx mjs mk ml mli mm mod mts mustache nim nix njk nu patch php phtml pl plist pm
    po pot prisma properties proto ps1 psd1 psm1 pug purs py pyi pyx qml r rake rb re res rmd rs rst
    sass scala scss sh sln sol sql star styl sum svelte svg swift tcl templ tex tf tfvars thrift toml
    ts tsv tsx twig txt typ v vb vbproj vhd vim vue wasm wat wgsl xaml xhtml xib xlf xml xsd xsl yaml
    yml zig zsh
    png jpg jpeg gif webp ico pdf woff woff2 ttf mp3 mp4 wav zip
    """
)  # fmt: skip
"""What a file's name may end in, in lower case."""

FILES_WITHOUT_EXTENSION: Final = frozenset({
    "Makefile", "GNUmakefile", "Dockerfile", "Containerfile", "Jenkinsfile", "Vagrantfile",
    "Procfile", "Gemfile", "Rakefile", "Brewfile", "Justfile", "justfile", "Caddyfile", "Tiltfile",
    "CODEOWNERS", "LICENSE", "CHANGELOG", "README", "CMakeLists.txt",
    ".gitignore", ".gitattributes", ".gitmodules", ".dockerignore", ".editorconfig", ".env",
    ".env.example", ".env.local", ".npmrc", ".nvmrc", ".prettierrc", ".eslintrc", ".babelrc",
    ".flake8", ".coveragerc", ".pylintrc", ".worktreeinclude",
})  # fmt: skip
"""Names that are a file's though they say so by no extension."""

_PRODUCT: Final = re.compile(
    r"[A-Z][A-Za-z0-9]*\.(?:js|io|ts|py|rs|go|net|ai)|(?:node|socket|d3|three|next|vue|nuxt|express"
    r"|chart|moment|backbone|ember|angular|alpine|p5|deno|draw|crates|github)\.(?:js|io|ts)"
    r"|e\.g|i\.e|etc\.\w*|asp\.net"
)


def looks_like_a_product(word: str) -> bool:
    """Tell whether a word without `/` is rather the name of a product, such as Node.js."""
    return _PRODUCT.fullmatch(word) is not None


COMMON_SYMBOLS: Final = words(
    """
    add all api app apply args base build call check class clear clone close code commit config
    connect context copy count create data date debug default define delete describe dict do done
    each edit end entry equals error exec execute exit export fetch field file files filter find
    first flush for format from function get group handle handler has hash head help hidden host
    id image import index info init initialize input insert int is item items join json key keys
    kind last len length level limit line link list load local lock log login logout main make map
    match max merge message meta method min mode model module name new next node none null number
    object off on open option options order output own page param params parent parse patch path
    ping pop port post prefix print process properties pull push put query queue quit random range
    read record refresh register release remove render replace request reset resolve response rest
    result results return role root route row run save scan schema search select self send server
    service session set setup show sign size sort source split start state status step stop store
    str stream string submit sum sync table tag target task teardown template test tests text throw
    time title toggle token top total trace transform true type undo union unit update upload url
    user users util utils valid validate value values version view wait walk watch width wrap write
    """
)
"""Words that name a symbol in so many places that they tell nothing."""

PRODUCTS: Final = frozenset({
    "AppImage", "BigQuery", "BitBucket", "CloudFront", "CouchDB", "DevOps", "DynamoDB", "ESLint",
    "FastAPI", "GitHub", "GitLab", "GraphQL", "IntelliJ", "JavaScript", "JetBrains", "LaTeX",
    "LinkedIn", "MariaDB", "MongoDB", "MySQL", "NestJS", "NextJS", "NodeJS", "NoSQL", "NuGet",
    "OAuth", "OpenAI", "OpenAPI", "OpenSpec", "OpenTelemetry", "PayPal", "PostgreSQL", "PowerShell",
    "PyPI", "PyTest", "RabbitMQ", "SQLAlchemy", "SQLite", "TailwindCSS", "TypeScript", "WebSocket",
    "WebSockets", "YouTube", "iOS", "macOS", "CamelCase", "ChangeLog",
})  # fmt: skip
"""Names in CamelCase that are everybody's."""

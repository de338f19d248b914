"""Shapes of the keys of language models and of what is built around them."""

from __future__ import annotations

from penstock.leaks.clouds import UUID
from penstock.leaks.rule import Rule, shaped

MODELS: tuple[Rule, ...] = (
    shaped(
        "openai-key",
        "OpenAI",
        "API key",
        rb"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,2000}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})",
        b"sk-",
        entropy=3.2,
    ),
    shaped(
        "anthropic-key",
        "Anthropic",
        "key",
        rb"sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{60,2000}",
        b"sk-ant-",
    ),
    shaped("openrouter-key", "OpenRouter", "API key", rb"sk-or-v1-[a-f0-9]{64}", b"sk-or-v1-"),
    shaped("deepseek-key", "DeepSeek", "API key", rb"sk-[a-f0-9]{32}", b"sk-"),
    shaped("groq-key", "Groq", "API key", rb"gsk_[A-Za-z0-9]{52}", b"gsk_"),
    shaped("xai-key", "xAI", "API key", rb"xai-[A-Za-z0-9]{70,90}", b"xai-"),
    shaped("perplexity-key", "Perplexity", "API key", rb"pplx-[A-Za-z0-9]{48,56}", b"pplx-"),
    shaped(
        "huggingface-token",
        "Hugging Face",
        "token",
        rb"(?:hf|api_org)_[A-Za-z0-9]{34}",
        b"hf_",
        b"api_org_",
    ),
    shaped("replicate-token", "Replicate", "token", rb"r8_[A-Za-z0-9]{37}", b"r8_"),
    shaped(
        "langsmith-key",
        "LangSmith",
        "API key",
        rb"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
        b"lsv2_",
    ),
    shaped("langfuse-key", "Langfuse", "secret key", rb"sk-lf-" + UUID, b"sk-lf-"),
    shaped("nvidia-key", "NVIDIA", "API key", rb"nvapi-[A-Za-z0-9_-]{60,70}", b"nvapi-"),
    shaped("pinecone-key", "Pinecone", "API key", rb"pcsk_[A-Za-z0-9_]{60,80}", b"pcsk_"),
    shaped("elevenlabs-key", "ElevenLabs", "API key", rb"sk_[a-f0-9]{48}", b"sk_"),
    shaped("cerebras-key", "Cerebras", "API key", rb"csk-[a-z0-9]{48}", b"csk-"),
    shaped("fireworks-key", "Fireworks", "API key", rb"fw_[A-Za-z0-9]{22,24}", b"fw_", entropy=3.6),
    shaped("together-key", "Together", "API key", rb"tgp_v1_[A-Za-z0-9_-]{43}", b"tgp_v1_"),
    shaped("tavily-key", "Tavily", "API key", rb"tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}", b"tvly-"),
    shaped("firecrawl-key", "Firecrawl", "API key", rb"fc-[a-f0-9]{32}", b"fc-"),
    shaped("jina-key", "Jina", "API key", rb"jina_[a-f0-9]{32}[A-Za-z0-9_-]{28}", b"jina_"),
    shaped("voyage-key", "Voyage", "API key", rb"pa-[A-Za-z0-9_-]{43}", b"pa-", entropy=4.0),
)

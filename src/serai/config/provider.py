"""Providers that speak the OpenAI protocol, with their usual address and the usual name of their key (SPEC 7.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CUSTOM: Final = "custom"


@dataclass(frozen=True, slots=True)
class Provider:
    """`base_url` None: the settings must give one. `key_name` None: it runs without a key unless one is named."""

    base_url: str | None
    key_name: str | None = None


PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {
        "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
        "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        "fireworks": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
        "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
        "cerebras": Provider("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        "nvidia": Provider("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
        "ollama": Provider("http://127.0.0.1:11434/v1"),
        "lmstudio": Provider("http://127.0.0.1:1234/v1"),
        "llamacpp": Provider("http://127.0.0.1:8080/v1"),
        "vllm": Provider("http://127.0.0.1:8000/v1"),
        CUSTOM: Provider(None),
    }
)

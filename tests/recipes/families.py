"""Tiny models of every family of base models that training knows, with weights drawn anew at each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SIZES = {
    **{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"num_key_value_heads": 2, "vocab_size": 272},
}
MADE: dict[str, Callable[..., Any]] = {
    "llama": lambda **more: LlamaForCausalLM(LlamaConfig(**SIZES, **more, tie_word_embeddings=True)),
    "mistral": lambda **more: MistralForCausalLM(MistralConfig(**SIZES, **more, tie_word_embeddings=False)),
    "qwen2": lambda **more: Qwen2ForCausalLM(Qwen2Config(**SIZES, **more, tie_word_embeddings=True)),
    "qwen3": lambda **more: Qwen3ForCausalLM(Qwen3Config(**SIZES, **more, head_dim=32, tie_word_embeddings=True)),
}

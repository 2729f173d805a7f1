"""PURE: how much memory a training takes, computed from a base model's config.json and the settings of a run.

What is kept while a run learns:

- the base's weights: 32 bits a number on a processor, 16 on a GPU, and in the linear layers of four-bit methods 4.127
  bits (Dettmers et al. 2023);
- what trains, its gradient, and AdamW's two moments: 16 bytes a number;
- activations, kept for the way back: for each token and layer what autograd keeps of a gated block with LoRA on all of
  its linear layers, as counted in `Shape.activations`;
- the base's file, where it is read to be packed into four bits: its pages count as the process's own, and are given
  back when memory is short;
- the scores of the vocabulary, of which 64 MB are made at a time, and their gradient;
- the libraries themselves, as measured.

Where the process stands at its largest is more than the sum: memory that was freed is not all given back, and loading
takes its own. `docs/runs.md` compares the sum with measured runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# torch, transformers, peft and bitsandbytes after they are imported (docs/methods.md).
LIBRARIES = 520_000_000
SCORES = 64 << 20
NF4_BITS = 4.127
# Decoders of blocks with a gated feed-forward part and no more than biases beside; others are not computed.
FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
TRAINED_BYTES = 16
# A number in the arithmetic of a processor, and of a GPU.
ON_PROCESSOR, ON_GPU = 4, 2


class NotComputed(ValueError):
    """The base model is of no family whose need is known here."""


@dataclass(frozen=True)
class Shape:
    """What of a base model decides about memory."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    is_tied: bool

    @property
    def linears(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of each linear layer of a block."""
        wide, narrow = self.heads * self.head, self.kv_heads * self.head
        return [
            *((wide, self.hidden), (narrow, self.hidden), (narrow, self.hidden), (self.hidden, wide)),
            *((self.inner, self.hidden), (self.inner, self.hidden), (self.hidden, self.inner)),
        ]

    @property
    def linear_numbers(self) -> int:
        """Of all blocks together."""
        return self.layers * sum(outputs * inputs for outputs, inputs in self.linears)

    @property
    def other_numbers(self) -> int:
        """Embedding, output layer where it is another one, and norms."""
        return self.vocabulary * self.hidden * (1 if self.is_tied else 2) + (2 * self.layers + 1) * self.hidden

    @property
    def numbers(self) -> int:
        """Of the whole model."""
        return self.linear_numbers + self.other_numbers

    def adapter_numbers(self, rank: int) -> int:
        """Of LoRA matrices on all linear layers of the blocks."""
        return self.layers * rank * sum(outputs + inputs for outputs, inputs in self.linears)

    def activations(self, tokens: int, rank: int, *, is_whole: bool = False) -> int:
        """Numbers that so many tokens, read together, leave behind on their way through all blocks.

        Each: two inputs of norms with what divides them, two outputs of norms, queries, keys and values, what attention
        gives, once by examples with its sums and once put together, four inner ones (gate, its activation, up, their
        product), and the narrow middles of seven adapters, or where the norms train too, what they multiply.
        """
        wide, narrow = self.heads * self.head, self.kv_heads * self.head
        beside = 2 * self.hidden if is_whole else 7 * rank
        each = 4 * self.hidden + 2 + 3 * wide + 2 * narrow + self.heads + 4 * self.inner + beside
        return self.layers * tokens * each


@dataclass(frozen=True)
class Need:
    """Bytes, part by part."""

    weights: int
    trained: int
    activations: int
    file: int
    scores: int
    libraries: int

    @property
    def whole(self) -> int:
        """All of it."""
        return self.weights + self.trained + self.activations + self.file + self.scores + self.libraries

    @property
    def megabytes(self) -> dict[str, int]:
        """The same in millions of bytes, by part; `beside` are scores and libraries, `whole` is the sum."""
        parts = {name: getattr(self, name) for name in ("weights", "trained", "activations", "file", "whole")}
        return {name: round(size / 1e6) for name, size in {**parts, "beside": self.scores + self.libraries}.items()}


def shape_of(config: Mapping[str, Any]) -> Shape:
    """From a config.json. Raises NotComputed."""
    if config.get("model_type") not in FAMILIES:
        raise NotComputed(f"No need is computed for models of the family {config.get('model_type')!r}.")
    heads = int(config["num_attention_heads"])
    return Shape(
        hidden=int(config["hidden_size"]),
        inner=int(config["intermediate_size"]),
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head=int(config.get("head_dim") or config["hidden_size"] // heads),
        vocabulary=int(config["vocab_size"]),
        is_tied=bool(config.get("tie_word_embeddings", False)),
    )


def read_shape(folder: Path) -> Shape:
    """Of a base model on disk. Raises NotComputed, OSError."""
    try:
        return shape_of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise NotComputed(str(error)) from error


def need_of(shape: Shape, *, in_4_bits: bool, is_whole: bool, rank: int, tokens: int, number_bytes: int) -> Need:
    """What training takes with so many tokens at once; `number_bytes` is `ON_PROCESSOR` or `ON_GPU`.

    `is_whole`: the whole model trains and there is no adapter.
    """
    linear = NF4_BITS / 8 if in_4_bits else number_bytes
    trained = 0 if is_whole else shape.adapter_numbers(rank) * TRAINED_BYTES
    return Need(
        weights=round(shape.linear_numbers * linear) + shape.other_numbers * number_bytes,
        # The weights themselves are counted above.
        trained=shape.numbers * (TRAINED_BYTES - 4) if is_whole else trained,
        activations=shape.activations(tokens, rank, is_whole=is_whole) * number_bytes,
        # To a GPU the file goes by way of the processor's memory.
        file=shape.linear_numbers * number_bytes if in_4_bits and number_bytes == ON_PROCESSOR else 0,
        scores=2 * SCORES,
        libraries=LIBRARIES,
    )

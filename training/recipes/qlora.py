"""QLoRA (Dettmers et al. 2023): LoRA beside a frozen base in 4-bit NormalFloat.

    python -m training.recipes.qlora run-folder/config.toml

W is kept as 4-bit places in a table of sixteen normal quantiles, with one scale for 64 numbers, the scales in 8 bits
themselves: 4.127 bits a number. It is unpacked for each product; the adapter and its gradient stay in float32.

`training/recipes/loop.py` says what every recipe does, `training/recipes/lora.py` what an adapter is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bitsandbytes.nn.modules import Linear4bit
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.devices import compute_dtype, device_map
from training.recipes.journal import Journal
from training.recipes.lora import Lora


class Qlora(Lora):
    """A LoRA on a base in 4 bits."""

    name = "qlora"

    def load_base(self, config: Configuration, journal: Journal) -> Any:
        """The base model with its linear layers in NF4, quantisation constants quantised too."""
        journal.phase("quantising")
        return load_in_4_bits(config.base.path)


def load_in_4_bits(path: str) -> Any:
    """A base model whose linear layers, but the output layer, are NF4."""
    quantisation: Any = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype(),
    )
    model: Any = AutoModelForCausalLM.from_pretrained(
        path, quantization_config=quantisation, device_map=device_map(), dtype=compute_dtype()
    )
    # On a CPU with AVX512-bf16, bitsandbytes 0.50 repacks a layer at its first reading in eval mode, and a repacked
    # layer passes no gradient on: after the first validation, training would go on with a wrong gradient, unsaid.
    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False
    return model


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Qlora())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

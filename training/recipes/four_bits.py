"""A base model in 4-bit NormalFloat, and what its four bits stand for.

`training/recipes/qlora.py` says what NF4 is.
"""

from __future__ import annotations

from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn.modules import Linear4bit
from torch import Tensor
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from training.recipes.devices import compute_dtype, device_map


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


def load_unpacked(path: str) -> Any:
    """The same model in float32, each weight what its four bits stand for: faster to read, and as large as the base."""
    model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    packed = load_in_4_bits(path)
    with torch.no_grad():
        for name, layer in packed.named_modules():
            if isinstance(layer, Linear4bit):
                model.get_submodule(name).weight.copy_(unpacked(layer))
    return model


def unpacked(layer: Any) -> Tensor:
    """What the four bits of a layer's weight stand for."""
    found: Tensor = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    return found

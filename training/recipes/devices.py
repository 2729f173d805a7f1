"""Where a model goes, and what it computes in."""

from __future__ import annotations

from typing import Any

import torch


def device_map() -> dict[str, Any]:
    """Where the whole model goes: the first GPU, or the processor."""
    return {"": 0 if torch.cuda.is_available() else "cpu"}


def compute_dtype() -> torch.dtype:
    """What it computes in. A CPU without bf16 instructions emulates them ten times slower, so it is float32 there; the
    GPU's side of this follows the libraries' documentation and was not measured by this project."""
    on_gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if on_gpu else torch.float32

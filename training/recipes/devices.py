"""Where a model goes, what it computes in, and several processes that train one model together.

    accelerate launch --multi_gpu --num_processes 2 -m training.recipes.lora run-folder/config.toml
    torchrun --nproc-per-node 2 -m training.recipes.lora run-folder/config.toml

Every process holds the whole model, or a part of it (`training/recipes/fsdp.py`), and reads its share of each batch;
gradients are added up before each step, so the loss is that of one process but for the order of additions. The first
process alone writes, and where it has the whole model it measures alone; the others wait for it. The settings are those
of config.toml, the number of processes is the launcher's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as together

Part = TypeVar("Part")
# The others wait while the first one evaluates, which may take hours with large models.
LONGEST_WAIT = timedelta(hours=24)
CPU = torch.device("cpu")


def compute_device() -> torch.device:
    """Where this process computes: its GPU, or the processor."""
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else CPU


def device_map() -> dict[str, Any]:
    """Where the whole model goes when it is loaded. One that is to be shared out may be too large for a GPU."""
    return {"": CPU if is_shared_out() else compute_device()}


def compute_dtype() -> torch.dtype:
    """What it computes in. A CPU without bf16 instructions emulates them ten times slower, so it is float32 there; the
    GPU's side of this follows the libraries' documentation and was not measured by this project."""
    on_gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if on_gpu else torch.float32


def join() -> None:
    """Find the other processes, where a launcher started some."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not together.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        together.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)


def leave() -> None:
    """Wait for all, then let them go."""
    if together.is_initialized():
        together.barrier()
        together.destroy_process_group()


def rank() -> int:
    """Which process this is; 0 alone."""
    return together.get_rank() if together.is_initialized() else 0


def processes() -> int:
    """How many there are; 1 alone."""
    return together.get_world_size() if together.is_initialized() else 1


def is_first() -> bool:
    """Whether this process measures and writes."""
    return rank() == 0


def is_shared_out() -> bool:
    """Whether the launcher wants each process to hold a part of the model only; then no process can read it alone."""
    return processes() > 1 and os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"


def measures() -> bool:
    """Whether this process takes part when the model is measured."""
    return is_first() or is_shared_out()


def dealt(parts: Sequence[Part]) -> list[tuple[Part, float]]:
    """The parts of a batch that this process reads, and for how much each counts: 1. Where no process can read the
    model alone, one that has fewer parts than others reads another that counts for 0."""
    spare = [(parts[0], 0.0)] * (-len(parts) % processes()) if is_shared_out() else []
    return [*((part, 1.0) for part in parts), *spare][rank() :: processes()]


def add_up(trainable: Sequence[Any], loss: float) -> float:
    """Add up the gradients of all processes, in place, and return the sum of their losses."""
    if processes() == 1:
        return loss
    for parameter in trainable:
        # Those that are shared out were added up on the way back.
        if hasattr(parameter, "device_mesh"):
            continue
        # A process that had nothing to read has no gradient, and all must take part.
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        together.all_reduce(parameter.grad)
    total = torch.tensor([loss], dtype=torch.float64, device=compute_device())
    together.all_reduce(total)
    return float(total)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that there was not enough memory: on a GPU, in Python, or as torch says it on processors.

    A process that the kernel ends instead says nothing.
    """
    said = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return said or isinstance(error, MemoryError | torch.OutOfMemoryError)


def any_of_us(yes: bool) -> bool:
    """Whether it is so for one process at least: all must stop at the same step."""
    if processes() == 1:
        return yes
    flag = torch.tensor([int(yes)], device=compute_device())
    together.all_reduce(flag, op=together.ReduceOp.MAX)
    return bool(flag)

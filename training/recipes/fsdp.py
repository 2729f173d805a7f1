"""Sharing the model itself out: fully sharded data parallelism (FSDP2 of torch; Zhao et al. 2023).

    accelerate launch --use_fsdp --fsdp_version 2 --num_processes 2 -m training.recipes.lora run-folder/config.toml

Each process holds its part of every layer, of the layer's gradient and of the optimiser's memory; a layer is gathered
while it is read and no longer. So all must read equally often: in a step, one that has less to read reads something
that counts for nothing (`training.recipes.devices.dealt`), and all of them measure. The embedding, the last norm and
the output layer are read outside layers and stay whole.

Of what the launcher can say two settings are heeded: `--fsdp_offload_params` keeps the parts and the optimiser in main
memory, and `--fsdp_reshard_after_forward false` keeps what was gathered until the way back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as together
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, OffloadPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map_only

from training.recipes.devices import compute_device, is_first, is_shared_out, processes

if TYPE_CHECKING:
    from training.recipes.loop import Method


class LaunchError(RuntimeError):
    """The recipe cannot run as it was launched; the message is meant for people."""


def check_launcher() -> None:
    """Raise LaunchError where the launcher asks for what is not made."""
    if _asked("ACCELERATE_USE_DEEPSPEED"):
        raise LaunchError(
            "The recipes do not run under DeepSpeed. Launch with --use_fsdp --fsdp_version 2 instead; "
            "--fsdp_offload_params true is its off-load."
        )
    if not is_shared_out():
        return
    if os.environ.get("FSDP_VERSION") != "2":
        raise LaunchError("The recipes share a model out by FSDP2 only: launch with --fsdp_version 2.")
    if os.environ.get("FSDP_RESHARD_AFTER_FORWARD", "true") not in ("true", "false"):
        raise LaunchError("--fsdp_reshard_after_forward must be true or false, as FSDP2 has it.")
    # transformers would then read the weights in the first process alone, and leave them to be sent.
    os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"


def share_out(model: Any) -> Any:
    """Keep only this process's part of each layer, in place, where the launcher asks for it; twice is as good as once.

    What is to be trained must be settled before. Raises LaunchError for a model without layers.
    """
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    if not is_shared_out() or any(isinstance(parameter, DTensor) for parameter in core.parameters()):
        return model
    layers = getattr(core.model, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        raise LaunchError("This base model has no list of layers that could be shared out.")
    _keep_scales(layers)
    device = compute_device()
    how: dict[str, Any] = {
        "mesh": init_device_mesh(device.type, (processes(),)),
        "reshard_after_forward": _asked("FSDP_RESHARD_AFTER_FORWARD", "true"),
        "offload_policy": CPUOffloadPolicy(pin_memory=device.type == "cuda")
        if _asked("FSDP_OFFLOAD_PARAMS")
        else OffloadPolicy(),
    }
    shared = [fully_shard(layer, **how) for layer in layers]
    whole = {parameter for parameter in model.parameters() if not isinstance(parameter, DTensor)}
    for parameter in whole:
        parameter.data = parameter.data.to(device)
    for unit in (*shared, fully_shard(core.model, ignored_params=whole, **how)):
        # Each process's loss is its share of the batch's, so gradients are added up and not averaged.
        unit.set_gradient_divide_factor(1.0)
        unit.set_force_sum_reduction_for_comms(True)
        # What is gathered first while the model generates (torch.inference_mode) could not be trained on later.
        unit.unshard()
        unit.reshard()
    return model


def _asked(name: str, default: str = "false") -> bool:
    return os.environ.get(name, default).lower() == "true"


def _keep_scales(layers: Any) -> None:
    """Four bits are shared out like any numbers; their scales, a thirtieth of them, stay with the layer."""
    for layer in layers.modules():
        if hasattr(layer, "quant_state"):
            layer.quant_state = layer.weight.quant_state


def held_parameters(model: Any) -> int:
    """How many numbers of the model this process holds."""
    _let_go(model)
    values = (one.to_local() if isinstance(one, DTensor) else one for one in model.parameters())
    # Two NF4 weights share one stored byte.
    return sum(value.numel() * (2 if value.dtype == torch.uint8 else 1) for value in values)


def gathered(value: Tensor) -> Tensor:
    """The whole of a tensor of which each process has a part, in main memory; all must ask. Others stay as they are."""
    if not isinstance(value, DTensor):
        return value
    # What was off-loaded is gathered where processes talk to each other.
    part: Any = value.detach().to(value.device_mesh.device_type)
    whole: Tensor = part.full_tensor().cpu()
    return whole


def part_like(value: Tensor, live: Tensor) -> Tensor:
    """This process's part of a whole tensor, as `live` is shared out."""
    if not isinstance(live, DTensor):
        return value
    return distribute_tensor(value, live.device_mesh, live.placements, src_data_rank=None).to(live.device)


def _let_go(model: Any) -> None:
    """Keep nothing gathered that was read last."""
    for unit in model.modules():
        if isinstance(unit, FSDPModule):
            unit.reshard()


@contextmanager
def whole(model: Any) -> Iterator[None]:
    """Meanwhile all that trains is whole in every process, to be kept or written; the model may not read."""
    _let_go(model)
    parts = [
        (module, name, parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.requires_grad and isinstance(parameter, DTensor)
    ]
    for module, name, parameter in parts:
        module._parameters[name] = nn.Parameter(gathered(parameter))
    try:
        yield
    finally:
        for module, name, parameter in parts:
            module._parameters[name] = parameter


def learnt_by(method: Method, model: Any) -> dict[str, Tensor]:
    """What a method says is learnt by now, whole."""
    with whole(model):
        return method.learnt(model)


@torch.no_grad()
def put_back(method: Method, model: Any, learnt: dict[str, Tensor]) -> None:
    """Let the model be what `learnt_by` gave."""
    if not is_shared_out():
        return method.restore(model, learnt)
    _let_go(model)
    # Loading would put whole tensors in the place of parts; what is learnt are the model's own numbers.
    for name, live in method.learnt(model).items():
        live.copy_(part_like(learnt[name], live))
    return None


def whole_memory(optimiser: Any) -> dict[str, Any]:
    """What an optimiser remembers, whole in the first process, as it alone would have it; all must ask."""

    def kept(part: Tensor) -> Tensor:
        whole = gathered(part)
        return whole if is_first() else part

    state: dict[str, Any] = tree_map_only(DTensor, kept, optimiser.state_dict())
    return state


def restore_memory(optimiser: Any, state: dict[str, Any]) -> None:
    """Put back what `whole_memory` gave."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    parts = {
        number: {
            name: part_like(value, parameters[number]) if value.shape == parameters[number].shape else value
            for name, value in memory.items()
        }
        for number, memory in state["state"].items()
    }
    optimiser.load_state_dict({**state, "state": parts})


def clip_gradients(trainable: Sequence[Any], most: float) -> float:
    """Scale gradients down, in place, so that the norm of all of them together is no more than `most`; returns what it
    was. Of a gradient that is shared out each process adds its part."""
    if not is_shared_out():
        return float(torch.nn.utils.clip_grad_norm_(trainable, most))
    gradients = [parameter.grad for parameter in trainable if parameter.grad is not None]
    parts = [gradient.to_local() for gradient in gradients if isinstance(gradient, DTensor)]
    wholes = [gradient for gradient in gradients if not isinstance(gradient, DTensor)]
    squares = torch.zeros((), device=compute_device())
    for part in parts:
        squares += part.square().sum().to(squares.device)
    together.all_reduce(squares)
    for one in wholes:
        squares += one.square().sum()
    norm = float(squares.sqrt())
    for one in (*parts, *wholes):
        one.mul_(min(1.0, most / (norm + 1e-6)))
    return norm

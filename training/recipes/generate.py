"""A warm process that answers sentences with base model and adapter, token by token.

    python -m training.recipes.generate --base var/models/smollm2-135m-instruct

One JSON request per line on stdin: {"id", "adapter": folder or null, "source", "source_name", "target_name",
"max_new_tokens", "temperature", "seed"}. JSON lines on stdout: {"id", "which": "base" | "adapter", "text"} for each
piece, {"id", "which", "event": "done", "seconds"}, and last {"id", "event": "finished"} or {"id", "event": "error",
"message"}. It ends when stdin does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes.generation import stream_tokens
from training.recipes.text import prompt_of

KEPT_ADAPTERS = 2


class Writer:
    """Base model with the adapters that were asked for last."""

    def __init__(self, base: str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        self._model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        self._model.train(False)
        self._adapters: dict[str, str] = {}

    def answer(self, request: dict[str, Any]) -> None:
        """Write the events of one request."""
        name = self._load(request["adapter"]) if request.get("adapter") else None
        prompt = prompt_of(
            self._tokenizer,
            request["source"],
            source_name=request["source_name"],
            target_name=request["target_name"],
        )
        for which in ("base", "adapter") if name else ("base",):
            plain = (
                self._model.disable_adapter()
                if which == "base" and isinstance(self._model, PeftModel)
                else (contextlib.nullcontext())
            )
            if which == "adapter":
                self._model.set_adapter(name)
            began = time.monotonic()
            with plain:
                for piece in stream_tokens(
                    self._model,
                    self._tokenizer,
                    prompt,
                    max_new_tokens=int(request.get("max_new_tokens", 64)),
                    temperature=float(request.get("temperature", 0.0)),
                    seed=int(request.get("seed", 0)),
                ):
                    tell(id=request["id"], which=which, text=piece)
            tell(id=request["id"], which=which, event="done", seconds=round(time.monotonic() - began, 2))
        tell(id=request["id"], event="finished")

    def _load(self, folder: str) -> str:
        if folder not in self._adapters:
            name = f"a{time.monotonic_ns()}"
            if isinstance(self._model, PeftModel):
                self._model.load_adapter(folder, adapter_name=name)
            else:
                self._model = PeftModel.from_pretrained(self._model, folder, adapter_name=name).eval()
            self._adapters[folder] = name
            if len(self._adapters) > KEPT_ADAPTERS:
                oldest = next(iter(self._adapters))
                self._model.set_adapter(name)
                self._model.delete_adapter(self._adapters.pop(oldest))
        return self._adapters[folder]


def tell(**event: Any) -> None:
    """Write one event at once."""
    sys.stdout.write(json.dumps(event, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description="Generate with base model and adapter.")
    parser.add_argument("--base", required=True)
    writer = Writer(parser.parse_args().base)
    tell(event="ready")
    for line in sys.stdin:
        request: dict[str, Any] = {}
        try:
            request = json.loads(line)
            writer.answer(request)
        except Exception as error:  # the process must outlive any single request
            tell(id=request.get("id"), event="error", message=f"{type(error).__name__}: {error}"[:500])
    return 0


if __name__ == "__main__":
    sys.exit(main())

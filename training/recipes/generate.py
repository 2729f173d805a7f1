"""A warm process that answers sentences with base model and adapter, token by token.

    python -m training.recipes.generate --base var/models/smollm2-135m-instruct [--sha256 HASH]

One JSON request per line on stdin: {"id", "adapter": folder or null, "system", "request", "max_new_tokens",
"temperature", "seed"}. JSON lines on stdout: {"event": "ready"} once, {"id", "which":
"base" | "adapter", "text"} for each piece, {"id", "which", "event": "done", "tokens", "seconds"}, and last
{"id", "event": "finished"} or {"id", "event": "error", "message"}. It ends when stdin does.

A request with "explain" (`training.recipes.explain`) writes nothing: it is told which words of it the adapter's answer
hangs on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes.base_model import sha256_of_file
from training.recipes.explain import explanation_events
from training.recipes.generation import require_adapter, stream_tokens
from training.recipes.text import prompt_of

KEPT_ADAPTERS = 2


class Writer:
    """Base model with the adapters that were asked for last.

    The base is in float32 here: generating token by token, unpacking 4-bit weights would take longest. The rounding
    that the adapter was trained beside is missing then, which is usually harmless (training.md 3.2).
    """

    def __init__(self, base: str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        self._model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        self._model.train(False)
        self._adapters: dict[str, str] = {}

    def answer(self, request: dict[str, Any]) -> None:
        """Write the events of one request."""
        name = self._load(request["adapter"]) if request.get("adapter") else None
        if name and request.get("explain"):
            self._model.set_adapter(name)
            explanation_events(self._model, self._tokenizer, request["explain"], partial(tell, id=request["id"]))
            tell(id=request["id"], event="finished")
            return
        with self._without_adapter():
            self._write("base", request)
        if name:
            self._model.set_adapter(name)
            self._write("adapter", request)
        tell(id=request["id"], event="finished")

    def _write(self, which: str, request: dict[str, Any]) -> None:
        prompt = prompt_of(self._tokenizer, system=request["system"], request=request["request"])
        began, made = time.monotonic(), 0
        for count, piece in stream_tokens(
            self._model,
            self._tokenizer,
            prompt,
            max_new_tokens=int(request.get("max_new_tokens", 64)),
            temperature=float(request.get("temperature", 0.0)),
            seed=int(request.get("seed", 0)),
        ):
            made = count
            if piece:
                tell(id=request["id"], which=which, text=piece)
        seconds = round(time.monotonic() - began, 2)
        tell(id=request["id"], which=which, event="done", tokens=made, seconds=seconds)

    def _without_adapter(self) -> contextlib.AbstractContextManager[None]:
        plain = self._model.disable_adapter() if isinstance(self._model, PeftModel) else contextlib.nullcontext()
        return cast("contextlib.AbstractContextManager[None]", plain)

    def _load(self, folder: str) -> str:
        name = self._adapters.pop(folder, "")
        if not name:
            require_adapter(folder)
            name = f"a{time.monotonic_ns()}"
            if isinstance(self._model, PeftModel):
                self._model.load_adapter(folder, adapter_name=name)
            else:
                self._model = PeftModel.from_pretrained(self._model, folder, adapter_name=name)
            self._model.train(False)
        # Last in the dictionary is last asked for.
        self._adapters[folder] = name
        if len(self._adapters) > KEPT_ADAPTERS:
            self._model.set_adapter(name)
            self._model.delete_adapter(self._adapters.pop(next(iter(self._adapters))))
        return name


def tell(**event: Any) -> None:
    """Write one event at once."""
    sys.stdout.write(json.dumps(event, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description="Generate with base model and adapter.")
    parser.add_argument("--base", required=True)
    parser.add_argument("--sha256", default="", help="refuse a base model whose weights have another hash")
    given = parser.parse_args()
    if given.sha256 and sha256_of_file(Path(given.base) / "model.safetensors") != given.sha256:
        tell(event="error", message="The base model's weights have changed.")
        return 1
    writer = Writer(given.base)
    tell(event="ready")
    for line in sys.stdin:
        if not line.strip():
            continue
        request: dict[str, Any] = {}
        try:
            request = json.loads(line)
            writer.answer(request)
        except Exception as error:  # the process must outlive any single request
            tell(id=request.get("id"), event="error", message=f"{type(error).__name__}: {error}"[:500])
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A warm process that answers with a base model and its adapters, token by token or many questions at once.

    python -m training.recipes.generate --base var/models/smollm2-135m-instruct [--keep 8] [--sha256 HASH]

One JSON request per line on stdin. Side by side: {"id", "sides": [{"which", "adapter": folder or null, "rank", "onto"},
...], "system", "request", "max_new_tokens", "temperature", "seed"}; `training/recipes/serving.py` says what a side is,
and `which` is its name in the events. Many questions: {"id", "side": {...}, "asked": [{"system", "request"}, ...],
"max_new_tokens"}, always the likeliest words. Which words an answer hangs on: {"id", "side": {...}, "explain": {...}}
(`training.recipes.explain`).

JSON lines on stdout: {"event": "ready"} once; {"id", "which", "text"} for each piece and {"id", "which", "event":
"done", "tokens", "seconds"} behind it, or {"id", "place", "text"} for each of many; and last {"id", "event":
"finished"} or {"id", "event": "error", "message"}. It ends when stdin does.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from training.recipes.base_model import sha256_of_file
from training.recipes.explain import explanation_events
from training.recipes.generation import generate_batch, stream_together
from training.recipes.serving import ALONE, Shelf, Side
from training.recipes.text import prompt_of

KEPT_ADAPTERS = 8


class Writer:
    """Answers requests from a shelf of adapters."""

    def __init__(self, base: str, *, most: int = KEPT_ADAPTERS) -> None:
        self.shelf = Shelf(base, most=most)

    def answer(self, request: dict[str, Any]) -> None:
        """Write the events of one request."""
        if "asked" in request:
            self._answer_many(request)
        elif "explain" in request:
            model = self._alone(request["side"])
            explanation_events(model, self.shelf.tokenizer, request["explain"], partial(tell, id=request["id"]))
        else:
            self._answer_beside(request)
        tell(id=request["id"], event="finished")

    def _answer_beside(self, request: dict[str, Any]) -> None:
        sides = [Side.from_mapping(side) for side in request["sides"]]
        named = [str(side["which"]) for side in request["sides"]]
        prompt = prompt_of(self.shelf.tokenizer, system=request["system"], request=request["request"])
        for model, places, names in self.shelf.take(sides):
            began, made = time.monotonic(), dict.fromkeys(places, 0)
            for row, count, piece in stream_together(
                model,
                self.shelf.tokenizer,
                prompt,
                names,
                max_new_tokens=int(request.get("max_new_tokens", 64)),
                temperature=float(request.get("temperature", 0.0)),
                seed=int(request.get("seed", 0)),
            ):
                made[places[row]] = count
                if piece:
                    tell(id=request["id"], which=named[places[row]], text=piece)
            seconds = round(time.monotonic() - began, 2)
            for place in places:
                tell(id=request["id"], which=named[place], event="done", tokens=made[place], seconds=seconds)

    def _alone(self, side: dict[str, Any]) -> Any:
        """The model with one adapter set."""
        ((model, _, (name,)),) = self.shelf.take([Side.from_mapping(side)])
        if name in {"", ALONE}:
            raise ValueError("That is for an adapter.")
        model.set_adapter(name)
        return model

    def _answer_many(self, request: dict[str, Any]) -> None:
        model = self._alone(request["side"])
        prompts = [
            prompt_of(self.shelf.tokenizer, system=one["system"], request=one["request"]) for one in request["asked"]
        ]
        made = generate_batch(
            model, self.shelf.tokenizer, prompts, max_new_tokens=int(request.get("max_new_tokens", 64))
        )
        for place, text in enumerate(made):
            tell(id=request["id"], place=place, text=text)


def tell(**event: Any) -> None:
    """Write one event at once."""
    sys.stdout.write(json.dumps(event, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description="Generate with a base model and its adapters.")
    parser.add_argument("--base", required=True)
    parser.add_argument("--keep", type=int, default=KEPT_ADAPTERS, help="most adapters in memory")
    parser.add_argument("--sha256", default="", help="refuse a base model whose weights have another hash")
    given = parser.parse_args()
    if given.sha256 and sha256_of_file(Path(given.base) / "model.safetensors") != given.sha256:
        tell(event="error", message="The base model's weights have changed.")
        return 1
    writer = Writer(given.base, most=given.keep)
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

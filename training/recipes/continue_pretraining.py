"""Continued pre-training: reading the language as plain text first, then learning the lessons.

    python -m training.recipes.continue_pretraining run-folder/config.toml

What is read are the completions of the training split as they stand, without a question, each after an end mark and
before one; and the texts of `data.text`, JSON Lines with `id` and `text`, where it is named. Sentences in the language
that the model knew are mixed with them where `mixing.replay` says so (`training/recipes/mixing.py`). Then come the
lessons, as in `training/recipes/qlora.py`, with the same adapter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.mixing import held_out_in, plain, replay_of
from training.recipes.qlora import Qlora
from training.recipes.rows import UnusableLine, read_rows, read_texts
from training.recipes.stages import Completions, RecipeError, Stage
from training.recipes.text import Example


class ContinuePretraining(Qlora):
    """A QLoRA that reads before it learns."""

    name = "continue_pretraining"

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """Plain text, then completions."""
        read, left_out = texts_of(config, tokenizer)
        notes = {"held_out": left_out} if config.data.text else {}
        settings = config.reading.reading_epochs, config.recipe.learning_rate
        reading = Completions(read, *settings, name="reading", notes=notes)
        return [reading, *super().stages(config, tokenizer, examples)]


def texts_of(config: Configuration, tokenizer: Any) -> tuple[list[Example], int]:
    """What is read: each text once, the language's own and what is replayed; and how many texts were left out, because
    they hold a held-out answer. Raises RecipeError."""
    rows = read_rows(config.data.train)
    by_id = sorted(rows, key=attrgetter("id"), reverse=True)
    try:
        texts = read_texts(config.data.text) if config.data.text else []
    except UnusableLine as error:
        raise RecipeError(str(error)) from error
    places = held_out_in([("", text) for text, _ in texts], config)
    texts = [one for place, one in enumerate(texts) if place not in places]
    own = {row.completion: f"text:{row.id}" for row in by_id} | dict(texts)
    found = [plain(tokenizer, name, text, config) for text, name in own.items()]
    kept = [one for one in found if one is not None]
    return kept + replay_of(rows, tokenizer, len(kept), config), len(places)


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, ContinuePretraining())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

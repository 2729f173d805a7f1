"""One base model in memory, and beside it the adapters that were asked for last: each is some megabytes, and taking
another one does not load the base again.

An adapter that learnt beside a base in four bits is served beside what these four bits say, unpacked to float32 once
(unpacking them for every token would take longest); one that learnt beside the base in full precision beside that. So
there is a second base in memory as soon as adapters of both kinds are asked for.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.utils.hotswap import hotswap_adapter
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes.configuration import BASE, NF4
from training.recipes.four_bits import load_unpacked
from training.recipes.generation import require_adapter
from training.recipes.ranks import cut

# A base beside an adapter, or two adapters side by side, must be there at once.
FEWEST = 2
ALONE = "__base__"  # peft's name for no adapter in a batch


@dataclass(frozen=True)
class Side:
    """Who answers: an adapter's folder, or none for the base; the first ranks of it only, or None for all; and the base
    beside which it learnt, `nf4` or `base`."""

    adapter: str = ""
    rank: int | None = None
    onto: str = BASE

    @classmethod
    def from_mapping(cls, given: dict[str, Any]) -> Side:
        """Read {"adapter", "rank", "onto"}; raises ValueError for a base that there is not."""
        onto = given.get("onto") or BASE
        if onto not in (BASE, NF4):
            raise ValueError(f"An adapter learnt beside {BASE} or {NF4}, not {onto}.")
        return cls(adapter=given.get("adapter") or "", rank=given.get("rank"), onto=onto)


class Shelf:
    """A base and at most so many adapters; of those, the one that was not asked for longest makes room."""

    def __init__(self, base: str, *, most: int) -> None:
        self._base, self._most = base, max(FEWEST, most)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(base)
        self._models: dict[str, Any] = {}
        # Last in the dictionary is last asked for.
        self._names: dict[Side, str] = {}

    @property
    def kept(self) -> list[Side]:
        """The adapters that are in memory, the one that was not asked for longest first."""
        return list(self._names)

    def take(self, sides: Sequence[Side]) -> list[tuple[Any, list[int], list[str]]]:
        """The models that answer, each with the places of the sides that it answers for and peft's names of them; one
        model for all that learnt beside the same base. Raises ValueError, OSError."""
        named = [self._name(side, set(sides)) if side.adapter else ALONE for side in sides]
        self._make_room(set(sides))
        found = []
        for onto in dict.fromkeys(side.onto for side in sides):
            places = [place for place, side in enumerate(sides) if side.onto == onto]
            model = self._model(onto)
            # A base that never had an adapter knows no names.
            names = [named[place] for place in places] if isinstance(model, PeftModel) else [""] * len(places)
            found.append((model, places, names))
        return found

    def _model(self, onto: str) -> Any:
        if onto not in self._models:
            model: Any = (
                load_unpacked(self._base)
                if onto == NF4
                else AutoModelForCausalLM.from_pretrained(self._base, dtype=torch.float32)
            )
            self._models[onto] = model.eval()
        return self._models[onto]

    def _name(self, side: Side, needed: set[Side]) -> str:
        name = self._names.pop(side, "")
        if not name:
            require_adapter(side.adapter)
            with _folder_of(side) as folder:
                name = self._replace(folder, side, needed) or self._load(folder, side.onto)
        self._names[side] = name
        return name

    def _replace(self, folder: str, side: Side, needed: set[Side]) -> str:
        """Put an adapter in the place of the one that was not asked for longest; its name there. Empty where there is
        room, or it does not fit there. Only numbers are copied, where loading goes through the whole model."""
        old = next((one for one in self._names if one not in needed), None)
        if old is None or len(self._names) < self._most or old.onto != side.onto:
            return ""
        try:
            hotswap_adapter(self._models[side.onto], folder, self._names[old])
        except (ValueError, RuntimeError):
            # Said before anything was copied: other layers, or another kind of LoRA.
            return ""
        return self._names.pop(old)

    def _load(self, folder: str, onto: str) -> str:
        model = self._model(onto)
        # Of one length, because peft looks for a name in longer ones.
        name = f"a{time.monotonic_ns():020d}"
        if isinstance(model, PeftModel):
            model.load_adapter(folder, adapter_name=name)
        else:
            model = PeftModel.from_pretrained(model, folder, adapter_name=name)
        self._models[onto] = model.eval()
        return name

    def _make_room(self, needed: set[Side]) -> None:
        for side in [side for side in self._names if side not in needed][: max(0, len(self._names) - self._most)]:
            name, model = self._names.pop(side), self._models[side.onto]
            if others := [self._names[one] for one in self._names if one.onto == side.onto]:
                model.set_adapter(others[-1])
                model.delete_adapter(name)
            else:
                # peft cannot do without its last adapter: the base alone is kept.
                self._models[side.onto] = model.unload()


@contextmanager
def _folder_of(side: Side) -> Iterator[str]:
    """Where the adapter lies, cut to its first ranks where only they are wanted."""
    if side.rank is None:
        yield side.adapter
        return
    with tempfile.TemporaryDirectory() as place:
        cut(Path(side.adapter), side.rank, Path(place) / "cut")
        yield str(Path(place) / "cut")

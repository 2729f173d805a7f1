"""Groups of contributors apart: each teaches an adapter of its own, and the mean of these is what is kept.

`recipe.shards = S` deals the contributors out to S groups (`training.recipes.grouping`). Each group's adapter begins as
the others do, and learns from its own rows and nothing else, so it is the same to the bit whoever is in the other
groups. What is measured and kept is their exact mean (`training.recipes.compose`). Two things follow:

- Without one group, the mean of the rest is there at once: it is made, measured and kept beside (shards/without-K).
- Trained again after words were taken back, only the groups change whose rows did: the others are taken as they are
  from the earlier run (`data.earlier_shards`), where settings, base model, rows and environment are the same. What
  comes of it is what training all of them anew would give.

What that costs in quality is measured beside: one more adapter learns from everybody (`recipe.shard_control`), which
doubles the time of a run, and is not kept. docs/withdrawal-proof.md says what is asked of the price.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from training.evaluation.scores import bits_per_byte, difference_interval
from training.recipes import loop
from training.recipes.compose import compose
from training.recipes.configuration import Configuration
from training.recipes.devices import processes
from training.recipes.grouping import Placed, placed
from training.recipes.journal import Journal, Stopped, write_json
from training.recipes.mixing import lessons_of
from training.recipes.report import environment_of, sha256_of_tensors
from training.recipes.stages import Completions, RecipeError, Stage, batches_from, fingerprint, losses_of
from training.recipes.text import Example

WEIGHTS = "adapter_model.safetensors"
# Of an earlier run's groups, so many must be taken for its measured price to stand for this run's, too.
LEAST_TAKEN = 0.5


@dataclass
class Shard:
    """One group: its number from 1 on, how much it has to learn from, and the hash of its adapter."""

    shard: int
    rows: int
    contributors: int
    steps: int
    tokens: int
    made_for: str
    """SHA-256 of all that decides its bytes: settings, base model, what it learns from, environment."""
    taken: bool = False
    """Whether it was taken from an earlier run as it is."""
    sha256: str = ""


@dataclass
class Part(Completions):
    """The rows of one group, or for the control of all; it begins anew, and what it learnt is kept in a folder."""

    whole: Sharded = field(kw_only=True)
    folder: Path = field(kw_only=True)
    most_steps: int = field(kw_only=True)

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Example]:
        """The examples, for a model that has learnt nothing yet."""
        self.whole.forget(model)
        return self.examples

    def recalled(self, kept: Sequence[Any], model: Any, config: Configuration, journal: Journal) -> list[Example]:
        """The same in the middle: what was learnt so far stays."""
        return self.examples

    def steps(self, lessons: int, config: Configuration) -> int:
        """A group's share of the steps, by the number of groups, not by who is in the others."""
        return min(super().steps(lessons, config), self.most_steps or super().steps(lessons, config))

    def end(self, model: Any, config: Configuration) -> None:
        """Keep what it learnt, whole or not at all."""
        building = self.folder.with_name(f".{self.folder.name}")
        _empty(building)
        self.whole.inner.save(model, building, config)
        _let_read(building)
        shutil.rmtree(self.folder, ignore_errors=True)
        building.replace(self.folder)


class Sharded(loop.Method):
    """A method whose adapters are of groups of contributors. Raises RecipeError among several processes."""

    def __init__(self, inner: loop.Method) -> None:
        if processes() > 1:
            raise RecipeError("Groups of contributors are trained apart by one process only.")
        self.inner, self.name = inner, inner.name
        self._begin: dict[str, Tensor] = {}
        self._random: tuple[Tensor, list[Tensor]] = (torch.empty(0), [])
        self._shards: list[Shard] = []
        self._control: dict[str, Any] | None = None
        """The price as an earlier run measured it, where that stands for this run, too."""

    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The inner method's model; how it begins is remembered."""
        model = self.inner.prepare(config, journal)
        self._begin = {name: matrix.detach().clone() for name, matrix in self.inner.learnt(model).items()}
        self._random = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return model

    def forget(self, model: Any) -> None:
        """Back to where every group begins, chance included."""
        self.inner.restore(model, self._begin)
        torch.set_rng_state(self._random[0])
        torch.cuda.set_rng_state_all(self._random[1])

    def learnt(self, model: Any) -> dict[str, Tensor]:
        """Of the group that trains; in the end, of all."""
        return self.inner.learnt(model)

    def restore(self, model: Any, learnt: dict[str, Tensor]) -> None:
        """Put back what `learnt` gave."""
        self.inner.restore(model, learnt)

    def base_of(self, model: Any, config: Configuration) -> AbstractContextManager[Any]:
        """The inner method's."""
        return self.inner.base_of(model, config)

    def before_step(self, model: Any, config: Configuration, step: int) -> None:
        """The inner method's."""
        self.inner.before_step(model, config, step)

    def before_reading(self, model: Any, config: Configuration) -> None:
        """The inner method's."""
        self.inner.before_reading(model, config)

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """One for each group that has to be trained, and one for the control. Raises RecipeError."""
        recipe, own = config.recipe, examples["train"]
        try:
            places = placed(config.data.train, shards=recipe.shards, seed=recipe.seed)
        except ValueError as error:
            raise RecipeError(str(error)) from error
        parts = {}
        for shard in sorted({places[example.id].shard for example in own}):
            rows = [example for example in own if places[example.id].shard == shard]
            parts[shard] = self._part(config, tokenizer, rows, shard)
        self._shards = [_counted(config, shard, part, places, own) for shard, part in parts.items()]
        self._control = None
        self._take_earlier(config, fingerprint(config, list(parts.values()), ()))
        waiting: list[Stage] = [parts[one.shard] for one in self._shards if not one.taken]
        if recipe.shard_control and self._control is None:
            waiting.append(self._part(config, tokenizer, own, 0))
        return waiting

    def _part(self, config: Configuration, tokenizer: Any, rows: list[Example], shard: int) -> Part:
        """What one group learns from, which is made of its own rows alone; shard 0 is everybody, for the control."""
        lessons, counts = lessons_of(config, tokenizer, rows)
        recipe = config.recipe
        return Part(
            lessons,
            recipe.epochs,
            recipe.learning_rate,
            name=f"group {shard} of {recipe.shards}" if shard else "everybody, to compare with",
            notes={"learnt_from": counts},
            whole=self,
            folder=_folder(config) / str(shard) if shard else config.folder / ".control",
            most_steps=-(-recipe.max_steps // recipe.shards) if shard else recipe.max_steps,
        )

    def _take_earlier(self, config: Configuration, made_for: str) -> None:
        """Copy the adapters of groups that an earlier run has just as this one would make them.

        Once: a run that goes on after it was killed keeps to what it took, so its stages stay what they were. One that
        begins anew with other settings looks anew.
        """
        plan = _folder(config) / "taken.json"
        found = json.loads(plan.read_text(encoding="utf-8")) if plan.is_file() else {}
        if found.get("made_for") != made_for:
            _empty(_folder(config))
            found = {**self._found_earlier(config), "made_for": made_for}
            write_json(plan, found)
        for one in self._shards:
            one.taken = one.shard in found["taken"]
        if len(found["taken"]) >= LEAST_TAKEN * len(self._shards):
            self._control = found["control"]

    def _found_earlier(self, config: Configuration) -> dict[str, Any]:
        taken: list[int] = []
        if not config.data.earlier_shards:
            return {"taken": taken, "control": None}
        path = Path(config.data.earlier_shards)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            by_number = {one["shard"]: one for one in known["groups"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {"taken": taken, "control": None}
        for one in self._shards:
            earlier, folder = by_number.get(one.shard, {}), path.parent / str(one.shard)
            if earlier.get("made_for") == one.made_for and _sha256_in(folder) == earlier.get("sha256"):
                shutil.copytree(folder, _folder(config) / str(one.shard), dirs_exist_ok=True)
                taken.append(one.shard)
        return {"taken": taken, "control": known.get("control") if taken else None}

    def after_training(self, model: Any, config: Configuration) -> None:
        """Compose the groups' adapters; the model goes on with their mean, as loaded from the file that is kept."""
        for one in self._shards:
            one.sha256 = _sha256_in(_folder(config) / str(one.shard))
        _composed(config, [one.shard for one in self._shards], _whole(config))
        _wear(model, _whole(config))

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """Bits per byte of the whole, of it without each group, and of the control, on the same validation rows."""
        sizes = [example.target_bytes for example in validation]
        with self.base_of(model, config) as base:
            before = losses_of(base, validation)

        def measured(folder: Path) -> dict[str, Any]:
            if journal.stop_asked:
                raise Stopped
            _wear(model, folder)
            nats = losses_of(model.eval(), validation)
            interval = difference_interval(before, nats, sizes, seed=config.recipe.seed)
            return {"bpb": bits_per_byte(nats, sizes), "difference_ci95": [interval.low, interval.high]}

        without = []
        for one in self._shards if len(self._shards) > 1 else ():
            folder = _folder(config) / f"without-{one.shard}"
            sha256 = _composed(config, [other.shard for other in self._shards if other is not one], folder)
            without.append({"shard": one.shard, "sha256": sha256, **measured(folder)})
        found: dict[str, Any] = {
            "asked": config.recipe.shards,
            "groups": [asdict(one) for one in self._shards],
            "trained_share": self._trained_share,
            "sentences": len(sizes),
            "base_bpb": bits_per_byte(before, sizes),
            "without": without,
            "control": self._control,
        }
        if (control := config.folder / ".control").is_dir():
            facts = {"sha256": _sha256_in(control), "sentences": len(sizes), "release": config.release.sha256}
            found["control"] = {**facts, "bpb": measured(control)["bpb"]}
        found |= measured(_whole(config))
        if control.is_dir():
            found["control"]["tax"] = tax_of(found["base_bpb"], found["control"]["bpb"], found["bpb"])
            shutil.rmtree(control)
        write_json(_folder(config) / "shards.json", {name: found[name] for name in ("groups", "control")})
        return {"shards": found}

    @property
    def _trained_share(self) -> float:
        """Of the tokens that all groups read, those that were read in this run."""
        trained = sum(one.tokens for one in self._shards if not one.taken)
        return trained / sum(one.tokens for one in self._shards)

    def save(self, model: Any, folder: Path, config: Configuration) -> None:
        """The mean, as it was composed."""
        for path in _whole(config).iterdir():
            shutil.copyfile(path, folder / path.name)
        shutil.rmtree(_whole(config))


def tax_of(base: float, control: float, whole: float) -> float | None:
    """Which share of what one adapter of everybody gains in bits per byte the groups apart do not; None where it gains
    nothing. Below 0 they gain more."""
    return (whole - control) / (base - control) if control < base else None


def _counted(config: Configuration, shard: int, part: Part, places: dict[str, Placed], own: Sequence[Example]) -> Shard:
    """What the report says of a group, as far as it is known before it trains."""
    mine = [places[example.id] for example in own if places[example.id].shard == shard]
    steps = part.steps(len(part.examples), config)
    batches = batches_from(part.examples, config, begun=0, steps=steps)
    # Whether there is a control beside changes nothing in a group.
    settled = replace(config, recipe=replace(config.recipe, shard_control=False))
    facts = [fingerprint(settled, [part], ()), environment_of(config.recipe.threads)]
    return Shard(
        shard=shard,
        rows=len(mine),
        contributors=len({person for place in mine for person in place.contributors}),
        steps=steps,
        tokens=sum(len(lesson.tokens) for _, batch in batches for lesson in batch),
        made_for=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest(),
    )


def _folder(config: Configuration) -> Path:
    return config.folder / "shards"


def _whole(config: Configuration) -> Path:
    return config.folder / ".whole"


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _let_read(folder: Path) -> None:
    # safetensors writes for the owner only, but web server and worker may be different users.
    (folder / WEIGHTS).chmod(0o644)


def _composed(config: Configuration, shards: Sequence[int], target: Path) -> str:
    shutil.rmtree(target, ignore_errors=True)
    sha256 = compose([_folder(config) / str(shard) for shard in shards], target)
    _let_read(target)
    return sha256


def _wear(model: Any, folder: Path) -> None:
    """Let the model go on with the adapter in a folder, of whatever rank, in place of the one it has."""
    model.delete_adapter("default")
    model.load_adapter(str(folder), "default", is_trainable=True)
    model.set_adapter("default")


def _sha256_in(folder: Path) -> str:
    """The hash of an adapter in a folder; empty where it is not there whole."""
    try:
        return sha256_of_tensors(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError):
        return ""

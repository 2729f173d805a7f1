"""A run's config.toml: every setting with its default, its bounds, and a clear error. No torch here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from annotation.worded import Worded
from training.metering.grid import Grid, grid_of

Section = TypeVar("Section")

# Each is a module of this package, and has these names for people.
METHODS = {
    "qlora": "QLoRA",
    "lora": "LoRA",
    "qdylora": "QDyLoRA",
    "dylora": "DyLoRA",
    "full": "Full fine-tuning",
    "continue_pretraining": "Continued pre-training",
    "kto": "KTO",
    "dpo": "DPO",
    "reward": "Reward model",
    "self_evolution": "Self-evolution",
}
DEFAULT_METHOD = "qlora"
SPLITS = ("train", "validation", "test")
# What may be learnt from beside a release: files of `Data`.
BESIDE = ("text", "synthetic", "related")
# Of these a run keeps a whole model, which stands beside adapters for comparison and is served to nobody.
WHOLE_MODELS = ("full",)
# These have the base as it is; all others have it in four bits.
IN_FULL_PRECISION = ("lora", "dylora", "full")
# What these learn is s B A alone, so adapters of several groups of contributors can be composed exactly.
IN_SHARDS = ("lora", "qlora")
# Beside which base an adapter learnt: the one in four bits, or the one as it is.
NF4, BASE = "nf4", "base"
# Every smaller rank of theirs is an adapter, too.
BY_RANKS = ("dylora", "qdylora")
# These learn from what people said of answers, which only some releases hold.
FROM_VOTES = ("kto", "dpo", "reward")
# These do something before or after the completions are learnt; all others only differ in what of the model trains.
SEVERAL_STAGES = ("continue_pretraining", *FROM_VOTES, "self_evolution")


class ConfigurationError(Worded):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True)
class Base:
    """The base model: a folder with safetensors and tokenizer, and the SHA-256 of its weights."""

    path: str
    sha256: str = ""


@dataclass(frozen=True)
class Data:
    """The three JSON Lines files of a release; what people said of answers, where it has that; and more
    text to read, rows that machines wrote, lessons in other languages, and the list of an earlier run's shards, for
    those who name such files."""

    train: str
    validation: str
    test: str
    judged_train: str = ""
    judged_test: str = ""
    text: str = ""
    synthetic: str = ""
    related: str = ""
    earlier_shards: str = ""


@dataclass(frozen=True)
class Release:
    """Which release the files are of: the SHA-256 of its manifest.json. Empty for files of no release.

    For the card: `labels` are the names of the Local Contexts labels on its words, a line each, and `beside` says what
    each file is that is learnt from beside it, from where, and on which terms.
    """

    sha256: str = ""
    labels: str = ""
    beside: str = ""


@dataclass(frozen=True)
class Language:
    """Names for the prompt, and BCP 47 tags for the card."""

    source_name: str
    target_name: str
    source_tag: str = ""
    target_tag: str = ""


@dataclass(frozen=True)
class RecipeSettings:
    """Settings of the training itself. Defaults suit a 135M model and some hundred to some thousand sentences.

    Full fine-tuning has no use for rank, alpha and dropout, and wants about a tenth of the learning rate.
    """

    method: str = DEFAULT_METHOD
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    learning_rate: float = 1e-3
    warmup: float = 0.05
    epochs: int = 2
    max_steps: int = 0
    batch_size: int = 8
    max_length: int = 256
    clip: float = 1.0
    weight_decay: float = 0.0
    seed: int = 7
    validate_every: int = 25
    checkpoint_every: int = 25
    threads: int = 2
    token_share: float = 1.0
    """Of the training lessons' tokens: so much is learnt from, the first lessons in an order that the seed gives."""
    token_budget: int = 0
    """The same as a number of tokens; 0: all of them. The smaller of the two holds."""
    patience: int = 0
    """After so many measurements of the validation split in a row, none better than the best, learning the completions
    ends, and the best is kept. 0: it does not end early."""
    tokens_at_once: int = 768
    """Most tokens of a step that are read together. Fewer need less memory and add up to the same gradient."""
    shards: int = 0
    """Groups of contributors, each of which teaches an adapter of its own (`training.recipes.shards`); 0 or 1: none."""
    shard_control: bool = True
    """Whether what shards cost is measured, by one more adapter that learns from everybody."""

    def __post_init__(self) -> None:
        if self.shards > 1 and self.method not in IN_SHARDS:
            known = ", ".join(METHODS[name] for name in IN_SHARDS)
            raise ConfigurationError("Groups of contributors can be trained apart by %(known)s only.", known=known)
        if self.shards > 1 and (self.token_share < 1 or self.token_budget or self.patience):
            # Each would let what one group learns hang on rows that are not its own.
            raise ConfigurationError(
                "Groups of contributors learn from all of their sentences to the end: leave out the limits on tokens "
                "and patience."
            )


@dataclass(frozen=True)
class Preference:
    """Settings of the methods that learn what is better: `kto`, `dpo`, `self_evolution`."""

    preference_epochs: int = 1
    preference_learning_rate: float = 1e-4
    beta: float = 0.1
    """How dear it is to move away from the model before: small values move far."""
    anchor: float = 0.1
    """How much of the loss of the better wording is added, so that it does not grow less likely itself."""
    rounds: int = 2
    tries: int = 4
    longest_try: int = 64
    """In tokens."""
    margin: float = 5.0
    """Points of chrF++ by which a try must be worse than what it is compared with."""


@dataclass(frozen=True)
class Reading:
    """Settings of the methods that read plain text first."""

    reading_epochs: int = 1


@dataclass(frozen=True)
class Mixing:
    """What is learnt from beside the release's lessons."""

    replay: float = 0.1
    """Share of sentences in the language that the model knew before, among all that is learnt from."""
    both_directions: bool = False
    """Translations are learnt the other way round, too."""
    synthetic_share: float = 0.5
    """Most that rows of machines (`data.synthetic`) may be of own and synthetic rows together."""
    temperature: float = 3.3
    """For lessons in other languages (`data.related`): at 1 they all come; the higher, the fewer of the many."""


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is measured, and how often. Numbers of sentences, and of new tokens per sentence."""

    max_items: int = 60
    generate_items: int = 24
    max_new_tokens: int = 64
    samples: int = 12
    shots: int = 4
    """Answered requests that the base model is shown before each question, as what an adapter must beat; 0: none."""
    memorised: int = 24
    """Training rows, and as many held-out ones, by which is measured what it knows by heart; 0: it is not measured."""
    seeds: int = 1
    """How many trainings are measured: the run's own and others with the seeds after its, which are not kept."""


@dataclass(frozen=True)
class Energy:
    """What `training.metering` cannot measure: power, building and grid."""

    watts: float = 0.0
    """Of the machine at full load, without graphics cards; used where no meter can be read. 0: unknown."""
    pue: float = 1.0
    """What the building draws for each watt of its machines (power usage effectiveness)."""
    region: str = ""
    """Whose grid: a country (NZL), a region of Google's cloud, or WORLD. Empty: no carbon is told."""
    grams_per_kwh: float = 0.0
    """Of that grid, by somebody who knows better than the table; with its source and year."""
    grid_source: str = ""
    grid_year: int = 0

    def grid(self) -> Grid | None:
        """The grid, if one is named. Raises UnknownGrid."""
        if not (self.region or self.grams_per_kwh):
            return None
        return grid_of(self.region, grams_per_kwh=self.grams_per_kwh, source=self.grid_source, year=self.grid_year)


# (least, most) of every number a person may set.
_BOUNDS: dict[str, tuple[float, float]] = {
    "rank": (1, 256),
    "alpha": (1, 1024),
    "dropout": (0, 0.9),
    "learning_rate": (1e-7, 0.1),
    "warmup": (0, 0.5),
    "epochs": (1, 100),
    "max_steps": (0, 1_000_000),
    "batch_size": (1, 256),
    "max_length": (16, 4096),
    "clip": (0.01, 100),
    "weight_decay": (0, 1),
    "seed": (0, 2**31 - 1),
    "validate_every": (1, 100_000),
    "checkpoint_every": (1, 100_000),
    "threads": (1, 256),
    "token_share": (0.001, 1),
    "token_budget": (0, 10**9),
    "patience": (0, 1000),
    "tokens_at_once": (16, 1_000_000),
    "shards": (0, 32),
    "preference_epochs": (1, 100),
    "preference_learning_rate": (1e-7, 0.1),
    "beta": (0.001, 10),
    "anchor": (0, 10),
    "rounds": (1, 20),
    "tries": (2, 64),
    "longest_try": (1, 1024),
    "margin": (0, 100),
    "reading_epochs": (1, 100),
    "replay": (0, 0.9),
    "synthetic_share": (0, 0.9),
    "temperature": (1, 100),
    "max_items": (1, 100_000),
    "generate_items": (1, 10_000),
    "max_new_tokens": (1, 1024),
    "samples": (0, 1000),
    "shots": (0, 64),
    "memorised": (0, 10_000),
    "seeds": (1, 20),
    "watts": (0, 1e6),
    "pue": (1, 3),
    "grams_per_kwh": (0, 5000),
    "grid_year": (0, 2100),
}


_CHOSEN: dict[str, Any] = {
    "recipe": RecipeSettings,
    "preference": Preference,
    "reading": Reading,
    "mixing": Mixing,
    "evaluation": EvaluationSettings,
}


@dataclass(frozen=True)
class Recipe:
    """The part of a configuration that a person chooses; the rest follows from the release and the machine."""

    recipe: RecipeSettings = field(default_factory=RecipeSettings)
    preference: Preference = field(default_factory=Preference)
    reading: Reading = field(default_factory=Reading)
    mixing: Mixing = field(default_factory=Mixing)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Recipe:
        """Read {"recipe": {...}, "evaluation": {...}, ...}; what is left out gets its default."""
        _only(given, set(_CHOSEN), "settings")
        return cls(**{name: _read(kind, given.get(name, {}), name) for name, kind in _CHOSEN.items()})

    def as_mapping(self) -> dict[str, Any]:
        """The same as plain values, as config.toml and the database keep them."""
        return asdict(self)


@dataclass(frozen=True)
class Configuration:
    """A whole config.toml."""

    folder: Path
    base: Base
    data: Data
    language: Language
    recipe: RecipeSettings
    preference: Preference
    reading: Reading
    mixing: Mixing
    evaluation: EvaluationSettings
    energy: Energy
    release: Release

    @classmethod
    def read(cls, path: Path, method: str) -> Configuration:
        """Read and check a config.toml. Raises ConfigurationError for anything wrong in it.

        A method that it does not name is that of the recipe which reads it.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError("%(path)s cannot be read: %(why)s.", path=str(path), why=error.strerror) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError("%(path)s is not TOML: %(why)s.", path=str(path), why=str(error)) from error
        _only(raw, {"base", "data", "language", "energy", "release", *_CHOSEN}, str(path))
        base = _read(Base, raw.get("base", {}), "base")
        if not (Path(base.path) / "model.safetensors").is_file():
            raise ConfigurationError("base.path names %(path)s, which holds no model.safetensors.", path=base.path)
        data = _read(Data, raw.get("data", {}), "data")
        for name, value in asdict(data).items():
            # An earlier run may have been deleted meanwhile; its groups only save time.
            if (value or name in SPLITS) and name != "earlier_shards" and not Path(value).is_file():
                raise ConfigurationError("data.%(name)s names %(path)s, which is not there.", name=name, path=value)
        chosen = Recipe.from_mapping({name: raw[name] for name in _CHOSEN if name in raw})
        if "method" not in raw.get("recipe", {}):
            chosen = replace(chosen, recipe=replace(chosen.recipe, method=method))
        return cls(
            folder=path.parent,
            data=data,
            base=base,
            language=_read(Language, raw.get("language", {}), "language"),
            **vars(chosen),
            energy=_read(Energy, raw.get("energy", {}), "energy"),
            release=_read(Release, raw.get("release", {}), "release"),
        )


def _only(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, Mapping):
        raise ConfigurationError("%(where)s is not a table of settings.", where=where)
    if unknown := sorted(set(given) - known):
        raise ConfigurationError(
            "%(where)s has the unknown setting %(name)s; known: %(known)s.",
            where=where,
            name=unknown[0],
            known=", ".join(sorted(known)),
        )


def _read(kind: type[Section], given: Any, where: str) -> Section:
    names = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    _only(given, set(names), where)
    if missing := [name for name, entry in names.items() if entry.default is MISSING and name not in given]:
        raise ConfigurationError("%(where)s lacks the setting %(name)s.", where=where, name=missing[0])
    return kind(**{name: _checked(f"{where}.{name}", name, names[name].type, value) for name, value in given.items()})


def _checked(where: str, name: str, kind: Any, value: Any) -> Any:
    if kind == "str":
        if not isinstance(value, str):
            raise ConfigurationError("%(where)s must be a text.", where=where)
        if name == "method" and value not in METHODS:
            raise ConfigurationError("Choose a method: %(known)s.", known=", ".join(METHODS))
        return value
    if kind == "bool":
        if not isinstance(value, bool):
            raise ConfigurationError("%(where)s must be true or false.", where=where)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind == "int" and value % 1 != 0):
        if kind == "int":
            raise ConfigurationError("%(where)s must be a whole number, not %(given)s.", where=where, given=repr(value))
        raise ConfigurationError("%(where)s must be a number, not %(given)s.", where=where, given=repr(value))
    least, most = _BOUNDS[name]
    if not least <= value <= most:
        raise ConfigurationError(
            "%(where)s must be from %(least)s to %(most)s, not %(given)s.",
            where=where,
            least=f"{least:g}",
            most=f"{most:g}",
            given=f"{value:g}",
        )
    return int(value) if kind == "int" else float(value)

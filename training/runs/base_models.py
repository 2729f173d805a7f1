"""The base models that are ready to be trained on, as `training.recipes.base_model` left them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

DEFAULT = "smollm2-135m-instruct"


@dataclass(frozen=True)
class BaseModel:
    """A base model on disk: name, folder, the SHA-256 of its weights, and where it says so, its licence, source and
    revision; `extends` is the SHA-256 of the base that it was made of with more tokens."""

    name: str
    folder: Path
    sha256: str
    licence: str = ""
    source: str = ""
    revision: str = ""
    extends: str = ""

    @property
    def weight_bytes(self) -> int:
        """Size of its weights; 0 where they are not to be read."""
        try:
            return (self.folder / "model.safetensors").stat().st_size
        except OSError:
            return 0


def find_base_model(name: str) -> BaseModel | None:
    """The prepared base model of that name; None until a training worker has prepared it."""
    folder = Path(settings.MODELS_DIR) / name
    try:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        more = {key: str(facts.get(key, "")) for key in ("licence", "source", "revision", "extends")}
        return BaseModel(name=name, folder=folder, sha256=str(facts["sha256"]), **more)
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def known_base_models() -> list[BaseModel]:
    """Every base model that is prepared here, by name."""
    folders = sorted(Path(settings.MODELS_DIR).glob("*/model.json"))
    found = [find_base_model(path.parent.name) for path in folders]
    return [base for base in found if base is not None]

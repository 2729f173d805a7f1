"""The base models that are ready to be trained on, as `training.recipes.base_model` left them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

DEFAULT = "smollm2-135m-instruct"


@dataclass(frozen=True)
class BaseModel:
    """A base model on disk: name, folder, and the SHA-256 of its weights."""

    name: str
    folder: Path
    sha256: str

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
        facts = json.loads((folder / "model.json").read_text())
    except (OSError, ValueError):
        return None
    return BaseModel(name=name, folder=folder, sha256=facts["sha256"])

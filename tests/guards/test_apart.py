"""Row security asks one of the ways from a row to its community; the others lead to the same one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import models

from people.row_security import PART_OF, bound_models, key_of, way_to_community

pytestmark = pytest.mark.django_db


def test_whatever_a_row_refers_to_is_of_its_own_community(furnished: SimpleNamespace):
    compared = set()
    for model in bound_models():
        for key in model._meta.local_fields:
            part = isinstance(key, models.ForeignKey) and key.related_model in bound_models()
            if not part or key == key_of(model):
                continue
            other = f"{key.name}__{way_to_community(key.related_model)}"
            rows = model._base_manager.exclude(**{key.name: None})
            astray = rows.exclude(**{other: models.F(way_to_community(model))})
            assert not astray.exists(), f"{model._meta.label}.{key.name}"
            if rows.exists():
                compared.add(model._meta.label)
    assert {"answers.Answer", "projects.Task", "corpora.Item", "releases.ReleaseItem"} <= compared & PART_OF.keys()

"""A kind's settings as form fields, and what was typed as settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from annotation.kinds import Kind
from annotation.kinds.contract import SettingField

PREFIX = "setting_"


def fields_of(kind: Kind) -> dict[str, forms.Field]:
    """One form field for each setting of the kind, named setting_<name>."""
    return {PREFIX + field.name: _field(field) for field in kind.setting_fields}


def _field(field: SettingField) -> forms.Field:
    common: dict[str, Any] = {"label": _(field.label), "help_text": _(field.help) if field.help else ""}
    initial = _(field.initial) if isinstance(field.initial, str) else field.initial
    if field.typed_as == "flag":
        return forms.BooleanField(required=False, initial=initial, **common)
    if field.typed_as == "number":
        return forms.IntegerField(initial=initial, **common)
    if field.typed_as == "several":
        choices = [(value, _(words)) for value, words in field.choices]
        widget = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=choices, widget=widget, initial=initial, **common)
    if field.typed_as == "line":
        return forms.CharField(required=False, max_length=200, initial=initial, **common)
    area = forms.Textarea(attrs={"rows": 6})
    return forms.CharField(required=field.typed_as == "labels", max_length=100_000, widget=area, **common)


def settings_from(kind: Kind, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a checked form holds; whether they fit is for the kind to say."""
    return {field.name: _value(field, typed.get(PREFIX + field.name)) for field in kind.setting_fields}


def _value(field: SettingField, typed: Any) -> Any:
    if field.typed_as == "labels":
        rows = (line.partition(":") for line in _lines(typed))
        return [{"name": name.strip(), "words": words.strip()} for name, _colon, words in rows]
    if field.typed_as == "pairs":
        pairs = (line.rpartition("=") for line in _lines(typed))
        return {words.strip(): label.strip() for words, _equals, label in pairs}
    return typed


def _lines(typed: str) -> list[str]:
    return [line.strip() for line in (typed or "").splitlines() if line.strip()]

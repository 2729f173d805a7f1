"""Migrations are one named line for each app, and constraints say what they keep true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from tests.guards.tree import shipped_python

NAMED = re.compile(r"^\d{4}_(?!auto_)[a-z][a-z0-9_]*$")
# A sentence of at least three words: one_live_lease_per_task, answer_has_text.
SENTENCE = re.compile(r"^[a-z]+(_[a-z0-9]+){2,}$")
# How Django and PostgreSQL name what nobody has named.
AUTOMATIC = re.compile(r"_(check|uniq|key|idx|fk|like)$|_[0-9a-f]{8}(_|$)")
FOLDERS = {path.parent for path in shipped_python()}
OURS = [config for config in apps.get_app_configs() if Path(config.path) in FOLDERS]


def our_models():
    return [model for config in OURS for model in config.get_models()]


def our_migrations():
    nodes = MigrationLoader(None).disk_migrations
    labels = {config.label for config in OURS}
    return {key: migration for key, migration in nodes.items() if key[0] in labels}


def test_the_apps_of_the_house_are_looked_at():
    assert {"people", "care", "ledger", "answers", "releases", "runs"} <= {config.label for config in OURS}
    assert len(our_models()) > 15
    assert len(our_migrations()) >= 10


@pytest.mark.parametrize("label", sorted({key[0] for key in our_migrations()}))
def test_the_migrations_of_an_app_are_one_line(label):
    names = sorted(name for app, name in our_migrations() if app == label)

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for before, name in zip([None, *names[:-1]], names, strict=True):
        inside = [needed for app, needed in our_migrations()[label, name].dependencies if app == label]
        assert inside == ([before] if before else []), f"{label}.{name} does not follow {before}"


def test_every_migration_has_a_name_that_says_what_it_does():
    unnamed = [f"{app}.{name}" for app, name in our_migrations() if not NAMED.match(name)]
    assert not unnamed


def test_every_constraint_and_index_has_a_name_that_reads_as_a_sentence():
    rules = [(model, rule) for model in our_models() for rule in (*model._meta.constraints, *model._meta.indexes)]
    assert len(rules) > 30
    unreadable = [
        f"{model._meta.label}: {rule.name}"
        for model, rule in rules
        if not SENTENCE.match(rule.name) or AUTOMATIC.search(rule.name)
    ]
    assert not unreadable


def test_no_model_leaves_a_rule_to_be_named_by_the_database():
    hidden = [model._meta.label for model in our_models() if model._meta.unique_together]
    assert not hidden, f"use a named UniqueConstraint: {hidden}"

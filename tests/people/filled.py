"""A row in every table that belongs to a community, for each of some communities, whatever its columns take."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from people.models import Community, Person
from people.row_security import bound_models
from tests.conftest import NOW

# The rows mean nothing, so what a row must mean is not asked of them; the end of the test brings the rules back.
WITHOUT_RULES = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT conrelid::regclass AS "table", conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
        AND connamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one."table", one.conname);
    END LOOP;
    FOR one IN SELECT DISTINCT tgrelid::regclass AS "table" FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', one."table");
    END LOOP;
END $$
"""
BY_TYPE: dict[type[models.Field[Any, Any]], Any] = {
    models.BooleanField: False,
    models.DateTimeField: NOW,
    models.DateField: NOW.date(),
    models.BinaryField: b"",
    ArrayField: [],
    models.JSONField: {},
}


def communities_with_rows(number: int) -> list[Community]:
    """So many communities, each with a row of everything. To be called first, in a test's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_RULES)
    person = Person.objects.create_user("whoever")
    made = [
        Community.objects.create(slug=f"c{n}", name=f"C{n}", language_name="-", language_tag="mis", created_at=NOW)
        for n in range(number)
    ]
    for community in made:
        _fill(community, person)
    return made


def _fill(community: Community, person: Person) -> None:
    rows: dict[type[models.Model], models.Model] = {Community: community, Person: person}
    numbers = count(community.pk * 1000)

    def row_of(model: type[models.Model]) -> models.Model:
        if model not in rows:
            rows[model] = model(**dict(values_of(model)))
            model._base_manager.bulk_create([rows[model]])
        return rows[model]

    def values_of(model: type[models.Model]) -> Iterator[tuple[str, Any]]:
        for field in model._meta.local_fields:
            if field.null or field.has_default() or field.has_db_default() or isinstance(field, models.AutoField):
                continue
            yield field.name, row_of(field.related_model) if field.is_relation else _value(field, next(numbers))

    for model in bound_models():
        row_of(model)


def _value(field: models.Field[Any, Any], number: int) -> Any:
    """Something that the column takes and no other row has."""
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.CharField | models.TextField):
        return str(number)[-(field.max_length or 9) :]
    for kind, value in BY_TYPE.items():
        if isinstance(field, kind):
            return value
    return number % 30_000

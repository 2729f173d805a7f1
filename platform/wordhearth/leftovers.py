"""Looking for strings in every column of the database that may hold text."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

TEXTUAL = ("text", "character varying", "json", "jsonb", "bytea", "ARRAY", "inet", "citext")


def text_columns() -> list[tuple[str, str]]:
    """(table, column) of every column of the database that may hold text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t "
            "USING (table_schema, table_name) WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' "
            "AND c.data_type = ANY (%s)",
            [list(TEXTUAL)],
        )
        return list(cursor.fetchall())


def found_in_database(needles: Sequence[str]) -> list[str]:
    """Where any of the strings stands in the database, in letters or in hexadecimal: `table.column: string`."""
    found = []
    with connection.cursor() as cursor:
        for table, column in text_columns():
            cursor.execute(f'SELECT string_agg("{column}"::text, E\'\\n\') FROM "{table}"')  # noqa: S608 - from the schema
            held = cursor.fetchone()[0] or ""
            found += [f"{table}.{column}: {needle}" for needle in needles if needle in held]
            found += [f"{table}.{column}: {needle} (hex)" for needle in needles if needle.encode().hex() in held]
    return found

"""Row security that keeps communities apart: each table's policy follows from its model (docs/decisions/0004).

A table with a community is bound by it; one without, by the row it is part of, whose own policy asks in turn. The few
choices that a model leaves open are named here, and so are the tables that belong to no community, with the reason.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models, transaction

POLICY = "communities_are_apart"
PERMISSION = "rows_are_for_whoever_sees_their_community"

# Part of what, where a row refers to several things that have a community.
PART_OF = {
    "answers.Answer": "receipt",
    # Not of the answer: what an answer may be used for depends on these, so its policy would ask for itself.
    "answers.Answer_built_on": "receipt",
    "answers.Quotation": "answer",
    "conflicts.Example": "guideline",
    "conflicts.Ruling": "adjudication",
    "corpora.Item": "source",
    "mining.Reading": "probe",
    "mining.TrialPair": "trial",
    "people.LanguageProfile_orthographies": "languageprofile",
    "people.LanguageProfile_varieties": "languageprofile",
    "projects.Task": "project",
    "releases.Download": "release",
    "releases.DownloadNotice_withdrawals": "downloadnotice",
    "releases.ReleaseItem": "release",
    "releases.ReleaseItem_voters": "releaseitem",
    "revision.BatchChange": "batch",
    "runs.Run_additions": "run",
    "revision.Suspicion": "project",
}
# What belongs to no community, and why.
OF_NONE = {
    "care.AccountErasure": "an account may be in several communities; counts, and no word of any",
    "care.Erasure": "ids of what is gone, of accounts too; after a restore all of them are erased again",
    "guard.Watch": "how far a job has read, for the whole house",
    "ledger.Checkpoint": "signs a whole chain; says nothing but its length and hash",
    "ledger.Entry": "numbers, hashes and fixed words; each is chained to the one before, whoever writes it",
    "ledger.Secret": "what opens an entry; read by the pages of its own chain, erased with what it says",
    "people.Community": "the directory: whoever founds, joins, is invited, reports or asks must find it",
    "people.Person": "an account may be in several communities, and in none",
    "people.Person_groups": "of the account; the house makes no groups",
    "people.Person_user_permissions": "of the account",
    "rewards.Scoring": "how far a job has counted, for the whole house",
}

FUNCTIONS = """
CREATE OR REPLACE FUNCTION communities_in_view() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    said text := coalesce(current_setting('wordhearth.communities', true), '');
BEGIN
    IF said = '' THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'No community is in view, so nothing of any community can be read or written.',
            HINT = 'Say which: people.tenants (docs/decisions/0004-communities-are-kept-apart-by-the-database.md).';
    END IF;
    RETURN said;
END $$;
-- With RETURN names are looked up now, not when it is called: pg_dump calls without a search path.
CREATE OR REPLACE FUNCTION every_community_is_in_view() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN communities_in_view() = '*';
-- None for the star: whoever waited for a lock on a row has everything asked anew, what was not needed before too.
CREATE OR REPLACE FUNCTION some_communities_in_view() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(communities_in_view(), '*')::bigint[];
"""


@cache
def key_of(model: type[models.Model]) -> models.ForeignKey[Any, Any] | None:
    """The key that says to which community a row belongs: the community itself, or what the row is part of.

    None for models that belong to none. Raises ImproperlyConfigured where it is not clear.
    """
    meta = model._meta
    if meta.label in OF_NONE or meta.proxy or not meta.managed:
        return None
    keys = [field for field in meta.local_fields if isinstance(field, models.ForeignKey) and not field.null]
    if meta.label in PART_OF:
        return next(key for key in keys if key.name == PART_OF[meta.label])
    if direct := [key for key in keys if key.related_model._meta.label == "people.Community"]:
        return direct[0]
    ways = [key for key in keys if key.related_model is not model and key_of(key.related_model) is not None]
    if len(ways) > 1:
        raise ImproperlyConfigured(f"{meta.label} is part of several things: say which in people.row_security.PART_OF.")
    return ways[0] if ways else None


def bound_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a community."""
    return [model for model in apps.get_models(include_auto_created=True) if key_of(model) is not None]


def way_to_community(model: type[models.Model]) -> str:
    """From a row to its community as a query writes it: `task__project__community`."""
    names = []
    while (key := key_of(model)) is not None:
        names.append(key.name)
        model = key.related_model
    return "__".join(names)


def condition_of(model: type[models.Model]) -> str:
    """When a row may be reached. What is asked once for a query stands in a SELECT of its own."""
    key = key_of(model)
    if key is None:
        raise ImproperlyConfigured(f"{model._meta.label} belongs to no community.")
    whole, column = key.related_model._meta, f'"{model._meta.db_table}"."{key.column}"'
    if whole.label == "people.Community":
        inside = f"{column} = ANY ((SELECT some_communities_in_view())::bigint[])"
    else:
        inside = f'EXISTS (SELECT 1 FROM "{whole.db_table}" whole WHERE whole."{whole.pk.column}" = {column})'  # noqa: S608
    return f"(SELECT every_community_is_in_view()) OR {inside}"


def bind(**kwargs: Any) -> None:
    """Give every table its policy, where it has another or none. Called after each migration; changes nothing twice."""
    wanted = {model._meta.db_table: condition_of(model) for model in bound_models()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        found = bound_tables()
        for table in found.keys() - wanted.keys():
            cursor.execute(f'DROP POLICY {POLICY} ON "{table}"')
        for table, condition in wanted.items():
            if found.get(table) != condition:
                cursor.execute(_statements(table, condition), [condition])
            if not _permits(table):
                cursor.execute(f'CREATE POLICY {PERMISSION} ON "{table}" USING (true)')


def bound_tables() -> dict[str, str]:
    """Tables that are bound now, with the condition they were given. It is kept as the policy's comment, because the
    database writes conditions in words of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.relname, coalesce(obj_description(p.oid, 'pg_policy'), '') FROM pg_policy p"
            " JOIN pg_class t ON t.oid = p.polrelid WHERE p.polname = %s AND NOT p.polpermissive"
            " AND t.relrowsecurity AND t.relforcerowsecurity AND t.relnamespace = current_schema()::regnamespace",
            [POLICY],
        )
        return dict(cursor.fetchall())


def unbound_tables() -> list[str]:
    """Tables that should be bound and are not, or otherwise than they should."""
    found, made = bound_tables(), set(connection.introspection.table_names())
    wanted = {model._meta.db_table: condition_of(model) for model in bound_models()}
    return sorted(table for table in wanted.keys() & made if found.get(table) != wanted[table])


def _statements(table: str, condition: str) -> str:
    # The house owns its tables; without FORCE an owner is asked nothing.
    return (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY; ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;'
        f'DROP POLICY IF EXISTS {POLICY} ON "{table}";'
        f'CREATE POLICY {POLICY} ON "{table}" AS RESTRICTIVE USING ({condition}) WITH CHECK ({condition});'
        f'COMMENT ON POLICY {POLICY} ON "{table}" IS %s'
    )


def _permits(table: str) -> bool:
    """Whether something else than a restriction speaks of the table's rows: without it nobody would get any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_policy WHERE polpermissive AND polrelid = %s::regclass", [f'"{table}"'])
        return cursor.fetchone() is not None

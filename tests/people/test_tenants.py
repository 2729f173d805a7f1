"""Communities are kept apart by the database itself, whatever a query forgets (docs/decisions/0004)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from contextvars import Context
from functools import reduce
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.db.utils import ProgrammingError
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.answers.models import Answer
from annotation.corpora.models import Source
from annotation.projects.jobs import expire_leases_job
from annotation.projects.services import lease_task
from care.purposes import reading_for
from care.reach import communities_ever_of
from people.models import Community, Person, Role, Variety
from people.row_security import OF_NONE, bind, bound_models, bound_tables, key_of, unbound_tables, way_to_community
from people.services import end_membership, grant_role
from people.tenants import InView, every_community, looking_at, while_looking_at, widen
from tests.conftest import NOW, make_person
from tests.guards.test_glossary import contract
from tests.people.filled import communities_with_rows
from training.releases.services import draft_release
from wordhearth.middleware import OfWhoeverAsks

pytestmark = pytest.mark.django_db

Ids = dict[str, set[str]]
CLOSED = "No community is in view"


def probe(request: HttpRequest) -> JsonResponse:
    """A page that forgot every filter."""
    return JsonResponse(in_the_database())


def probe_late(request: HttpRequest) -> StreamingHttpResponse:
    """The same, made after the view has returned."""
    return StreamingHttpResponse(json.dumps(in_the_database()) for _ in range(1))


class ProbeView(APIView):
    """The same for programs, which say who they are later than a browser does."""

    def get(self, request: Request) -> Response:
        """Everything."""
        return Response(in_the_database())


urlpatterns = [
    path("probe/", probe),
    path("probe/late/", probe_late),
    path("probe/api/", ProbeView.as_view()),
    path("", include("wordhearth.urls")),
]


def in_the_database() -> dict[str, list[str]]:
    """Ids of all rows of every table that belongs to a community, as the database gives them to a bare SELECT."""
    asked = (
        f'SELECT \'{model._meta.db_table}\', "{model._meta.pk.column}"::text FROM "{model._meta.db_table}"'  # noqa: S608
        for model in bound_models()
    )
    found: dict[str, list[str]] = {model._meta.db_table: [] for model in bound_models()}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        for table, key in cursor.fetchall():
            found[table].append(key)
    return found


def as_sets(found: dict[str, list[str]]) -> Ids:
    return {table: set(keys) for table, keys in found.items()}


@pytest.fixture
def three(db: None) -> list[Community]:
    """Three communities with a row in every table."""
    return communities_with_rows(3)


@pytest.fixture
def cast(three: list[Community]) -> dict[tuple[int, str], Person | AnonymousUser]:
    """Somebody in each role of each community; somebody in none; and nobody."""
    people: dict[tuple[int, str], Person | AnonymousUser] = {(0, "none"): make_person("dana"), (0, ""): AnonymousUser()}
    for community in three:
        for role in Role:
            people[community.pk, role] = make_person(f"{role}-{community.pk}")
            grant_role(
                person=people[community.pk, role], community=community, role=role, granted_by=people[0, "none"], now=NOW
            )
    return people


def view_of(person: Person | AnonymousUser) -> InView:
    request = RequestFactory().get("/")
    request.user = person
    return OfWhoeverAsks(request)


def rows_with_their_community() -> list[tuple[type[models.Model], str, Community]]:
    """Every row, and its community as Python walks there."""
    found = []
    for model in bound_models():
        way = way_to_community(model)
        for row in model._base_manager.select_related(way):
            found.append((model, str(row.pk), reduce(getattr, way.split("__"), row)))
    return found


def test_predicate_query_and_row_security_agree_for_every_table_role_and_community(three, cast):
    rows = rows_with_their_community()
    assert {(model, community) for model, _, community in rows} == {(m, c) for m in bound_models() for c in three}
    for (home, role), person in cast.items():
        ours = {home} & {community.pk for community in three}
        predicate: Ids = {model._meta.db_table: set() for model in bound_models()}
        for model, key, community in rows:
            if community.pk in ours:
                predicate[model._meta.db_table].add(key)
        seen = Community.objects.visible_to(person) if isinstance(person, Person) else Community.objects.none()
        mine = list(seen.values_list("pk", flat=True))
        query = {
            model._meta.db_table: keys(model._base_manager.filter(**{f"{way_to_community(model)}__in": mine}))
            for model in bound_models()
        }
        with looking_at(view_of(person)):
            bare = as_sets(in_the_database())
        assert bare == query == predicate, (home, role)


def keys(rows: QuerySet[Any]) -> set[str]:
    return {str(key) for key in rows.order_by().values_list("pk", flat=True)}


def test_no_filter_of_the_house_shows_what_row_security_hides(three, cast):
    filtered = [model for model in bound_models() if hasattr(model._default_manager, "visible_to")]
    assert len(filtered) > 20
    for person in cast.values():
        if not isinstance(person, Person):
            continue
        with looking_at(view_of(person)):
            bare = as_sets(in_the_database())
        for model in filtered:
            assert keys(model._default_manager.visible_to(person)) <= bare[model._meta.db_table], (model, person)


def test_where_nothing_is_in_view_every_table_raises(three):
    for model in bound_models():
        column = key_of(model).attname
        change = {column: models.F(column)}
        for act in (list, lambda rows, change=change: rows.update(**change), lambda rows: rows._raw_delete("default")):
            with pytest.raises(ProgrammingError, match=CLOSED), transaction.atomic():
                Context().run(act, model._base_manager.all())


def test_nothing_can_be_written_into_a_community_that_is_not_in_view(three):
    ours, theirs, _ = three
    with looking_at(InView({ours.pk})):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Variety.objects.create(community=theirs, code="new", name="New")
        variety = Variety.objects.get()
        variety.community = theirs
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            variety.save()
        assert Variety.objects.filter(community=theirs).update(name="New") == 0
        Variety.objects.create(community=ours, code="new", name="New")


@pytest.mark.urls("tests.people.test_tenants")
def test_a_page_that_forgets_every_filter_gives_nothing_foreign(three, cast):
    everything = as_sets(in_the_database())
    first, second, _ = (community.pk for community in three)
    for home, role in ((first, "speaker"), (second, "steward"), (0, "none"), (0, "")):
        client, person = Client(), cast[home, role]
        if role:
            client.force_login(person)
        with looking_at(InView({home})):
            ours = as_sets(in_the_database())
        assert as_sets(client.get("/probe/").json()) == ours
        late = b"".join(client.get("/probe/late/").streaming_content)
        assert as_sets(json.loads(late)) == ours
        if role:
            token = Token.objects.create(user=person).key
            answer = Client().get("/probe/api/", headers={"Authorization": f"Token {token}"})
            assert as_sets(answer.json()) == ours
        assert as_sets(in_the_database()) == everything, "the request has left something behind"


def test_lists_of_the_api_with_their_filters_taken_away_hold_nothing_foreign(project, ben, dana, monkeypatch):
    other = Community.objects.create(slug="other", name="Other", language_name="-", language_tag="mis", created_at=NOW)
    grant_role(person=dana, community=other, role=Role.STEWARD, granted_by=dana, now=NOW)
    Source.objects.create(community=other, title="Other", language_tag="mis", licence="CC0", origin="-", created_at=NOW)
    for model in apps.get_models():
        if hasattr(model._default_manager, "visible_to"):
            for made in (type(model._default_manager), type(model._default_manager.all())):
                monkeypatch.setattr(made, "visible_to", lambda rows, _: rows.all())
    client = Client()
    client.force_login(ben)
    listed = {row["id"] for row in client.get("/api/v1/sources/").json()["results"]}
    assert listed == set(project.community.sources.values_list("pk", flat=True))
    assert len(listed) == Source.objects.count() - 1
    # Its door stands open now, and there is nothing behind.
    assert sum(client.get(f"/c/{other.slug}/transparency/").context["written"].values()) == 0


def test_the_number_of_communities_costs_no_query(django_assert_num_queries, community, ben, dana):
    """Who somebody is, and where they belong: one question for each."""
    view = view_of(ben)
    with looking_at(view), django_assert_num_queries(2):
        assert number() == 2


def fail(*looks: Callable[[], Any]) -> None:
    """A transaction in which one looks, and which is then rolled back."""
    with transaction.atomic():
        for look in looks:
            look()
        raise ZeroDivisionError


def number(view: InView | None = None) -> int:
    """How many varieties are in view."""
    if view is None:
        return Variety.objects.count()
    with looking_at(view):
        return Variety.objects.count()


def closed() -> bool:
    """Whether code that said nothing is refused."""
    with pytest.raises(ProgrammingError, match=CLOSED), transaction.atomic():
        Context().run(number)
    return True


def test_a_savepoint_that_rolls_back_brings_nothing_back_into_view(community):
    """PostgreSQL then goes back to what it was told before, here: every community."""
    assert number() == 2
    with looking_at(InView()):
        with pytest.raises(ZeroDivisionError):
            fail(number)
        assert number() == 0
        with pytest.raises(ZeroDivisionError):
            fail(number, every_community()(number))
        assert number() == 0
        with pytest.raises(ProgrammingError, match="nowhere"), transaction.atomic():
            every_community()(Variety.objects.extra(tables=["nowhere"]).count)()
        assert number() == 0
    with pytest.raises(ZeroDivisionError):
        fail(closed, number)
    assert closed()
    assert number() == 2


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_and_a_lost_connection_bring_nothing_back_into_view(community):
    assert number() == 2
    with looking_at(InView()):
        with pytest.raises(ZeroDivisionError):
            fail(number)
        assert number() == 0
        connection.close()
        assert number() == 0
    with pytest.raises(ZeroDivisionError):
        fail(number, lambda: number(InView({community.pk})))
    assert closed()
    assert number() == 2
    with looking_at(InView()):
        with transaction.atomic(), contextlib.suppress(ProgrammingError):
            # Nobody tells Django, so it commits, and PostgreSQL rolls back.
            assert number() == 0
            connection.cursor().execute("SELECT 1 FROM nowhere")
        assert number() == 0
    connection.close()
    assert closed()
    assert number(InView({community.pk})) == 2


@pytest.mark.urls("tests.people.test_tenants")
def test_the_next_request_on_a_connection_inherits_nothing(community, ben, dana):
    of_ben, of_dana, of_nobody = Client(), Client(), Client()
    of_ben.force_login(ben)
    of_dana.force_login(dana)
    for _ in range(2):
        assert of_ben.get("/probe/").json()["people_variety"]
        assert not of_dana.get("/probe/").json()["people_variety"]
        assert of_ben.get("/probe/").json()["people_variety"]
        assert not of_nobody.get("/probe/").json()["people_variety"]


@pytest.mark.urls("tests.people.test_tenants")
def test_a_role_that_ended_takes_its_community_out_of_view_but_not_ones_own_words(community, aroha, ben, consenting):
    consenting(ben)
    end_membership(membership=community.memberships.get(person=ben), ended_by=aroha, now=NOW)
    client = Client()
    client.force_login(ben)
    assert not any(client.get("/probe/").json().values())
    assert communities_ever_of(ben) == {community.pk}
    assert community.name in client.get("/me/data/").content.decode()
    assert client.get("/api/v1/receipts/").json()["results"]


def test_what_comes_into_view_stays_for_the_request_alone():
    view = InView({1})
    with looking_at(view):
        widen(2)
        assert view.said() == "{1,2}"
        with looking_at(InView()):
            widen(3)
        parts = list(while_looking_at(view, (widen(number) for number in (4, 5))))
    assert parts == [None, None]
    assert view.said() == "{1,2,4,5}"
    Context().run(widen, 6)
    assert view.said() == "{1,2,4,5}"


def test_every_table_of_the_house_is_bound_or_named_with_the_reason():
    house = set(contract("The house: every arrow points down")["layers"])
    ours = [model for model in apps.get_models(include_auto_created=True) if model.__module__.split(".")[0] in house]
    forgotten = [model._meta.label for model in ours if key_of(model) is None and model._meta.label not in OF_NONE]
    assert not forgotten, f"people.row_security says nothing of {forgotten}"
    assert OF_NONE.keys() <= {model._meta.label for model in ours}
    assert set(bound_tables()) == {model._meta.db_table for model in bound_models()}
    assert len(bound_models()) > 80


def test_a_backup_finds_its_way_through_the_policies(three):
    """pg_dump reads every table without a search path."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        for table in bound_tables():
            cursor.execute(f'SELECT count(*) FROM public."{table}"')  # noqa: S608
            assert cursor.fetchone()[0] >= 3
        cursor.execute("SET LOCAL search_path = public")


def test_a_job_works_for_every_community(project, ben, consenting):
    consenting(ben)
    lease_task(project=project, person=ben, now=NOW)
    assert Context().run(expire_leases_job) == 1


def test_a_table_that_belongs_to_no_community_any_more_is_open_again(community, monkeypatch):
    monkeypatch.setitem(OF_NONE, "people.Variety", "tried")
    monkeypatch.setitem(OF_NONE, "people.LanguageProfile_varieties", "tried")
    key_of.cache_clear()
    try:
        bind()
        assert Context().run(number) == 2
    finally:
        key_of.cache_clear()


def test_binding_again_changes_nothing_and_mends_what_is_missing():
    def policies() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT oid, polrelid FROM pg_policy ORDER BY oid")
            return cursor.fetchall()

    before = policies()
    bind()
    assert policies() == before
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP POLICY communities_are_apart ON people_variety; ALTER TABLE care_vote NO FORCE ROW LEVEL SECURITY"
        )
    assert unbound_tables() == ["care_vote", "people_variety"]
    bind()
    assert unbound_tables() == []
    assert len(policies()) == len(before)


def test_reading_for_a_purpose_and_keeping_communities_apart_go_together(validated_corpus, project):
    """The policy for purposes reads tables that have policies of their own; none of these may ask for answers."""
    first = validated_corpus[0]
    first.built_on.add(validated_corpus[1].receipt)
    with looking_at(InView({project.community_id})), reading_for("train_noncommercial"):
        assert Answer.objects.count() == len(validated_corpus)
        assert draft_release(project=project, purpose="train_noncommercial").rows
    with looking_at(InView({0})), reading_for("train_noncommercial"):
        assert not Answer.objects.exists()

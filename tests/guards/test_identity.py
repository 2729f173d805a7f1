"""Nobody learns over the API who wrote what; an ended role opens nothing; what is hidden is as if it were not there."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from people.models import Community, Person
from people.services import end_membership
from tests.conftest import NOW
from tests.guards.addresses import addresses, send

pytestmark = pytest.mark.django_db
AUTHORS = ("filipa", "goran")
# Names that stand where a person has a post: whoever leads, decides or trains does so by name.
SECRETS = ("email", "ip_address", "remote_addr", "age_band", "birth")


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["ben", "esi"])
def test_the_api_tells_peers_and_researchers_nobody_who_wrote(
    client: Client, furnished: SimpleNamespace, request: Any, reader: str
) -> None:
    """A6: every address of the API is read; no author's name, no e-mail of anybody, no field for what is not kept."""
    for person in Person.objects.all():
        person.email = f"{person.username}@canary.example"
        person.save()
    client.force_login(request.getfixturevalue(reader))
    told, read = [], 0
    for address in addresses():
        path = address.filled(furnished.arguments)
        if not path.startswith("/api/v1/") or "schema" in path or not address.is_ours:
            continue
        response = client.get(path)
        if response.status_code != 200:
            continue
        read += 1
        said = response.content.decode()
        mine = f"{reader}@canary.example"
        leaks = [name for name in AUTHORS if re.search(rf"\b{name}\b", said)]
        leaks += [one for one in re.findall(r"\w+@canary\.example", said) if one != mine]
        leaks += [field for field in SECRETS if f'"{field}"' in said and mine not in said]
        told += [f"{path}: {leak}" for leak in leaks]
    assert read > 15
    assert told == []


def test_a_role_that_ends_opens_nothing_at_the_next_request(
    client: Client, community: Community, ben: Person, aroha: Person
) -> None:
    """A5: nothing of who may what is kept in the session."""
    pages = ("/c/test-otomi/speak/", "/c/test-otomi/", "/api/v1/communities/test-otomi/")
    client.force_login(ben)
    assert [client.get(page).status_code for page in pages] == [200, 200, 200]
    end_membership(membership=community.memberships.get(person=ben), ended_by=aroha, now=NOW)
    assert [client.get(page).status_code for page in pages] == [404, 404, 404]


def test_an_account_that_is_closed_is_out_at_the_next_request(
    client: Client, community: Community, ben: Person
) -> None:
    client.force_login(ben)
    assert client.get("/c/test-otomi/speak/").status_code == 200
    Person.objects.filter(pk=ben.pk).update(is_active=False)
    assert client.get("/c/test-otomi/speak/").status_code == 302
    assert client.get("/api/v1/communities/test-otomi/").status_code in {401, 403}


@pytest.mark.slow
def test_what_is_of_others_answers_as_what_is_not_there(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], dana: Person
) -> None:
    """A7, but for the timing: an outsider cannot tell a row of others from a number that nobody has."""
    client.force_login(dana)
    client.raise_request_exception = False
    different, compared = [], 0
    for address in addresses():
        numbers = [name for name, _ in address.nouns() if name == "pk"]
        if not numbers or not address.is_ours:
            continue
        there = address.filled(furnished.arguments)
        number = str(next(value for key, value in _arguments(address, furnished.arguments) if key == "pk"))
        missing = there.replace(number, "987654321" if number.isdecimal() else f"{7:032x}"[: len(number)], 1)
        if len(number) == 36:
            missing = there.replace(number, "00000000-0000-4000-8000-000000000007", 1)
        if there.count(number) != 1:
            continue
        for method in ("get", "post"):
            one, other = send(client, method, there, body), send(client, method, missing, body)
            compared += 1
            if (one.status_code, _plain(one, there)) != (other.status_code, _plain(other, missing)):
                different.append(f"{method} {there}: {one.status_code} and {other.status_code}")
    assert compared > 60
    assert different == []


def _arguments(address: Any, arguments: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, arguments[noun if noun in arguments else name]) for name, noun in address.nouns()]


def _plain(response: Any, path: str) -> str:
    """What a response says, without its own address, tokens and nonces."""
    said = response.content.decode().replace(path, "…")
    return re.sub(r'(nonce|value|csrf_token|trace|instance)="?:? ?"[^"]*"', "", said)

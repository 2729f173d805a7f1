"""No page leads somebody to one that is not there for them."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.test import Client

from people.models import Person
from tests.guards.addresses import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LINK = re.compile(r'<a [^>]*href="(/c/[^"#?]*)')
# What browsers fill in, and what waits for something.
NOT_READ = {"public:device", "public:stream"}


def test_every_link_that_somebody_sees_opens_for_them(
    client: Client, furnished: SimpleNamespace, aroha: Person, chen: Person, esi: Person, goran: Person
) -> None:
    ours = [one for one in addresses() if one.is_ours and "get" in one.methods and one.name not in NOT_READ]
    dead, followed = set(), 0
    for person in (aroha, chen, esi, goran):
        client.force_login(person)
        links: dict[str, str] = {}
        for address in ours:
            response = client.get(address.filled(furnished.arguments))
            if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
                links |= dict.fromkeys(LINK.findall(response.content.decode()), address.name)
        for link, page in links.items():
            followed += 1
            if client.get(link).status_code == 404:
                dead.add(f"{person.username}: {page} leads to {link}")
    assert followed > 100
    assert not dead, "\n".join(sorted(dead))

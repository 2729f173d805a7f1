"""Founding a community through the page."""

import pytest

from people.models import Community
from people.services import has_role

FIELDS = {
    "name": "Test",
    "slug": "test-found",
    "language_name": "Otomí",
    "language_tag": "ote",
    "iso_639_3": "ote",
    "glottocode": "mezq1235",
    "script": "Latn",
    "direction": "ltr",
    "varieties": "north Northern\nsouth Southern variety\n",
    "characters": "ä  ñ ä",
}


def test_the_founder_becomes_steward(client, dana):
    client.force_login(dana)
    response = client.post("/found/", FIELDS)
    assert response.status_code == 302
    community = Community.objects.get(slug="test-found")
    assert has_role(dana, community, "steward")
    assert [row.name for row in community.varieties.all()] == ["Northern", "Southern variety"]
    assert community.orthographies.get().characters == "ä ñ"
    assert client.get(response.url).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("iso_639_3", "OT"), ("language_tag", "otomí"), ("glottocode", "x"), ("varieties", "north"), ("slug", "a b")],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(client, dana, field, value):
    client.force_login(dana)
    response = client.post("/found/", {**FIELDS, field: value})
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert "Southern variety" in response.content.decode() or field == "varieties"
    assert not Community.objects.exists()


def test_signing_in_comes_first(client, db):
    assert client.get("/found/").url.startswith("/accounts/login/")

"""Over the API from nothing: an account, a community of one's own, and the packaged corpus."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from annotation.corpora.packaged import ELOTL_LICENCE, PackagedRow
from people.models import Person
from tests.api.test_walk import ok, refused, signed_in

pytestmark = pytest.mark.django_db
ACCOUNTS, PACKAGED, PASSWORD = "/api/v1/accounts/", "/api/v1/imports/packaged/", "hñähñu ra hñäki 7"
COMMUNITY = {
    **{"slug": "own", "name": "Own", "language_name": "Otomí", "language_tag": "ote", "script": "Latn"},
    **{"iso_639_3": "ote", "glottocode": "mezq1235", "varieties": [{"code": "ote", "name": "Mezquital"}]},
}


@pytest.fixture
def client():
    """A machine of its own, so that what other tests ask is not counted here."""
    return APIClient(REMOTE_ADDR=f"machine-{uuid4()}")


def test_from_no_account_to_a_corpus(client, ben, monkeypatch):
    rows = [PackagedRow(f"frase {n}", f"ñu {n}", "ote", "A", "1") for n in range(2)]
    monkeypatch.setattr("annotation.corpora.api.read_tsunkua", lambda: rows)
    refused(client.post(PACKAGED, {"community": "own"}), 401)
    made = ok(client.post(ACCOUNTS, {"username": "xahni", "password": PASSWORD}), 201)
    assert list(made) == ["token"]
    assert ok(client.post("/api/v1/token/", {"username": "xahni", "password": PASSWORD})) == made
    person = Person.objects.get(username="xahni")
    assert (person.email, person.is_staff, person.is_superuser) == ("", False, False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {made['token']}")
    assert ok(client.post("/api/v1/communities/", COMMUNITY), 201)["my_roles"] == ["steward"]
    record = ok(client.post(PACKAGED, {"community": "own"}), 201)
    assert (record["origin"], record["licence"], record["added"]) == ("elotl: tsunkua", ELOTL_LICENCE, 2)
    assert ok(client.post(PACKAGED, {"community": "own"}), 201)["added"] == 0
    (source,) = ok(client.get("/api/v1/sources/"))["results"]
    assert (source["items"], source["language_tag"]) == (2, "es")
    refused(signed_in(ben).post(PACKAGED, {"community": "own"}), 404)
    refused(client.post(PACKAGED, {}), 400)


def test_only_stewards_bring_the_packaged_corpus_in(community, ben):
    refused(signed_in(ben).post(PACKAGED, {"community": community.slug}), 403)


def test_an_account_follows_the_rules_of_the_form(client, ben, monkeypatch):
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "sign-in", "6/min")
    for given, field in (
        ({"username": "xahni"}, "password"),
        ({"username": "xahni", "password": "short"}, "password"),
        ({"username": "xahni-ra-hnu", "password": "xahni-ra-hnu"}, "password"),
        ({"username": "Ben", "password": PASSWORD}, "username"),
        ({"username": "a b", "password": PASSWORD}, "username"),
        ({"username": "", "password": PASSWORD}, "username"),
    ):
        assert field in refused(client.post(ACCOUNTS, given), 400)["errors"], given
    refused(client.post(ACCOUNTS, {"username": "xahni", "password": PASSWORD}), 429)
    assert set(Person.objects.values_list("username", flat=True)) == {"aroha", "ben"}

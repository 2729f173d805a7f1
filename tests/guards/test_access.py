"""Whoever does not belong to a community finds nothing of it, whatever address and method they try.

The addresses come from the URL conf: a new one is covered by itself, or the test says which row it needs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from care.glass import break_glass
from people.models import Person, Role
from people.services import found_community, grant_role
from tests.conftest import NOW, make_person
from tests.guards.addresses import Address, addresses, send
from tests.guards.tree import shipped_python

pytestmark = pytest.mark.django_db

# What anybody with an account may see, by method and name: the answers that are right, and why.
FOR_ANY_ACCOUNT: dict[str, tuple[set[int], str]] = {
    "get public:home": ({200}, "the front door"),
    "get public:about": ({200}, "what happens to words here is for everybody to read"),
    "get public:manifest": ({200}, "what the site is called and looks like as an app"),
    "get public:service_worker": ({200}, "the same code for everybody"),
    "get public:device": ({200}, "the same page for everybody, filled in by their browser"),
    "get public:online": ({200}, "who is signed in, told to whoever is signed in"),
    "get public:found": ({200}, "anybody with an account may found a community of their own"),
    "get me:data": ({200}, "one's own data, and nobody else's"),
    "get me:file": ({200}, "the same"),
    "get me:copies": ({200}, "what the person downloaded: nothing"),
    "post me:copies": ({404}, "the same; this form names nobody's copy"),
    "get me:erase_account": ({200}, "one's own account"),
    "post me:erase_account": ({422}, "the same; this form has no password"),
    "post public:found": ({422}, "the same; this form says nothing about a community to found"),
    "get public:report": ({200}, "anybody may report harm"),
    "post public:report": ({422}, "the same; this form names no dataset and no adapter"),
    "get public:report_status": ({200}, "anybody with a code reads what became of a report"),
    "post public:report_status": ({422}, "the same; this form has no code"),
    "get public:my_reports": ({200}, "what the person reported: nothing"),
    "get public:join": ({410}, "for whoever holds an invitation; nobody made this secret"),
    "post public:join": ({410}, "the same"),
    "post public:language": ({302}, "the language of the pages is for whoever reads them to choose"),
    "get public:agreements": ({200}, "one's own agreements: none"),
    "get api-me": ({200}, "what one gave: nothing"),
    "get api-me-everything": ({200}, "one's own data, and nobody else's"),
    "post api-reports-list": ({400}, "this form names nothing to report"),
    "post api-ages-list": ({400}, "this form says nothing of anybody's age"),
    "get api-root": ({200}, "names addresses, holds no rows"),
    "get api-schema": ({200}, "describes addresses, holds no rows"),
    "post api-accounts": ({400}, "making an account; this form has no password"),
    "post api-token": ({400}, "signing in; this form has no password"),
    "post api-communities-list": ({400}, "founding a community of one's own; this form describes none"),
    "post api-receipts-list": ({400}, "to them the policy that this form names is no policy at all"),
    "post api-communities-accept-invitation": ({410}, "for whoever holds an invitation; nobody made this secret"),
}
# The same before signing in.
FOR_ANYBODY: dict[str, tuple[set[int], str]] = {
    name: FOR_ANY_ACCOUNT[name]
    for name in (
        "get public:home",
        "get public:about",
        "get public:manifest",
        "get public:service_worker",
        "get public:device",
        "get public:online",
        "get public:report",
        "post public:report",
        "get public:report_status",
        "post public:report_status",
        "get public:join",
        "post public:language",
        "get api-schema",
        "post api-accounts",
        "post api-token",
    )
}
# The platform's staff are anybody, but for asking to be let in.
FOR_STAFF: dict[str, tuple[set[int], str]] = {
    **FOR_ANY_ACCOUNT,
    "get public:glass": ({200}, "where staff break the glass"),
    "post public:glass": ({422}, "the same; this form gives no reason"),
}
# What broken glass opens to them: pages to read.
BEHIND_GLASS = {
    *("public:decisions", "public:glasses", "speaker:home", "speaker:play"),
    *("steward:home", "steward:corpus", "steward:import", "steward:project", "steward:members"),
    *("steward:consent", "steward:consent_version", "steward:adapters", "steward:adapter"),
    *("steward:restrictions", "steward:reports", "steward:record"),
}
# Apps of others: one's own account, and an administration that asks whoever is not staff to sign in as staff.
ACCOUNTS = {200, 302, 404}
ADMIN_SIGN_IN = {"admin:login", "admin:logout"}

# What staff read of themselves: their own lines of the record say where they looked in, and nothing of what is there.
OF_ONESELF = {"api-me-everything"}

# Arguments that say nothing about another community: its own address, an invitation, a number counted inside it.
OF_ONES_OWN = {"slug", "secret", "version", "kind"}


def snapshot() -> dict[tuple[str, Any], dict[str, Any]]:
    """Every row of our apps. Signing in leaves its own mark, which is not counted."""
    folders = {str(path.parent) for path in shipped_python()}
    models = [model for config in apps.get_app_configs() if config.path in folders for model in config.get_models()]
    assert len(models) > 15
    return {
        (model._meta.label, row["id"]): {key: value for key, value in row.items() if key != "last_login"}
        for model in models
        for row in model._default_manager.values()
    }


def is_closed(address: Address, method: str, response: Any, table: dict[str, tuple[set[int], str]]) -> bool:
    """Whether the answer is one that an outsider may get."""
    known = f"{method} {address.name}"
    if address.name.startswith("admin:"):
        asked = response.status_code == 302 and response["Location"].startswith("/admin/login/")
        return asked or response.status_code in {404, 405} or address.name in ADMIN_SIGN_IN
    if address.name.startswith("account_"):
        return response.status_code in ACCOUNTS | {405}
    if response.status_code == 405:
        return method not in address.methods
    if known in table:
        return response.status_code in table[known][0]
    return False


def told(address: Address, method: str, response: Any) -> str:
    return f"{method.upper()} /{address.path} ({address.name}) answered {response.status_code}"


def is_empty_list(address: Address, response: Any) -> bool:
    """A list of the API shows what is one's own: nothing."""
    return address.name.endswith("-list") and response.status_code == 200 and response.json()["results"] == []


def walk(
    client: Client,
    rows: SimpleNamespace,
    body: dict[str, Any],
    person: Person | None = None,
    *,
    is_everywhere: bool = False,
) -> Any:
    """(address, method, answer) for each of our addresses and each method that it answers; everywhere: for the apps of
    others, too, and for methods that are not answered. Signed in again wherever something signed out.

    Nobody brings anything down, wherever they knock.
    """
    signed_in = False
    client.raise_request_exception = False
    for address in addresses():
        if not (is_everywhere or address.is_ours):
            continue
        path = address.filled(rows.arguments)
        ours = address.tried if is_everywhere else address.answered
        for method in ours if address.is_ours else ("get", "post"):
            if person and not signed_in:
                client.force_login(person)
            response = send(client, method, path, body)
            assert response.status_code < 500, told(address, method, response)
            yield address, method, response
            signed_in = "logout" not in address.name


@pytest.mark.slow
def test_an_outsider_with_an_account_finds_nothing(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], dana: Person
) -> None:
    before = snapshot()

    wrong, leaking = [], []
    for address, method, response in walk(client, furnished, body, dana, is_everywhere=True):
        hidden = response.status_code == 404
        empty = method == "get" and is_empty_list(address, response)
        if not (hidden or empty or is_closed(address, method, response, FOR_ANY_ACCOUNT)):
            wrong.append(told(address, method, response))
        if response.status_code == 200 and not response.streaming and b"test-otomi" in response.content:
            leaking.append(told(address, method, response))

    assert not wrong, "\n".join(wrong)
    assert not leaking, "these name a community that is none of Dana's business"
    assert snapshot() == before


@pytest.mark.slow
def test_the_staff_of_the_platform_find_nothing_either(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any]
) -> None:
    before = snapshot()

    wrong = []
    for address, method, response in walk(client, furnished, body, furnished.operator):
        if address.name in OF_ONESELF:
            continue
        closed = is_empty_list(address, response) if method == "get" else False
        if not (response.status_code == 404 or closed or is_closed(address, method, response, FOR_STAFF)):
            wrong.append(told(address, method, response))
        if response.status_code == 200 and not response.streaming and b"test-otomi" in response.content:
            wrong.append(told(address, method, response) + " and named the community")

    assert not wrong, "\n".join(wrong)
    assert snapshot() == before
    ours = {model for model in site._registry if model.__module__.split(".")[0] in {"people", "care", "annotation"}}
    assert not ours, "the administration shows nothing of communities"


@pytest.mark.slow
def test_broken_glass_opens_pages_to_read_and_nothing_else(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any]
) -> None:
    about = {"community": furnished.community, "person": furnished.operator, "reason": "A court asks for it."}
    break_glass(hours=1, now=timezone.now(), **about)
    before = snapshot()

    opened, wrong = set(), []
    for address, method, response in walk(client, furnished, body, furnished.operator):
        if address.name in OF_ONESELF:
            continue
        is_open = response.status_code == 200 and not response.streaming and b"test-otomi" in response.content
        if is_open and method == "get":
            opened.add(address.name)
        elif is_open or not (
            response.status_code in {404, 405}
            or is_closed(address, method, response, FOR_STAFF)
            or (method == "get" and is_empty_list(address, response))
        ):
            wrong.append(told(address, method, response))

    assert not wrong, "\n".join(wrong)
    assert opened == BEHIND_GLASS | {"public:glass"}
    assert snapshot() == before


def test_whoever_is_not_signed_in_is_asked_to_and_so_is_whoever_was_suspended(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], aroha: Person
) -> None:
    """Aroha is still signed in and holds a token, but her account was suspended: to the site she is nobody."""
    suspended, token = Client(), Client(headers={"Authorization": f"Token {Token.objects.create(user=aroha).key}"})
    suspended.force_login(aroha)
    Person.objects.filter(pk=aroha.pk).update(is_active=False)
    before = snapshot()

    wrong, leaking = [], []
    for address, method, response in walk(client, furnished, body, is_everywhere=True):
        asked = response.status_code == 302 and response["Location"].startswith("/accounts/login/?next=")
        hidden = response.status_code in {401, 404}
        if not (asked or hidden or is_closed(address, method, response, FOR_ANYBODY)):
            wrong.append(told(address, method, response))
        if response.status_code == 200 and not response.streaming and b"test-otomi" in response.content:
            leaking.append(told(address, method, response))
        path = address.filled(furnished.arguments)
        if address.is_ours:
            hers = send(suspended, method, path, body)
            if (hers.status_code, hers.get("Location")) != (response.status_code, response.get("Location")):
                wrong.append(told(address, method, hers) + " to the suspended session")
        if path.startswith("/api/"):
            hers = send(token, method, path, body)
            # Who makes an account is not asked who they are.
            if hers.status_code != 401 and address.name != "api-accounts":
                wrong.append(told(address, method, hers) + " to the token of a suspended account")

    assert not wrong, "\n".join(wrong)
    assert not leaking
    assert snapshot() == before


def test_a_role_in_one_community_opens_nothing_of_another(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], dana: Person
) -> None:
    """Dana holds every role in a community of her own, where Emil only speaks; both ask there for rows of the other
    one, and Emil asks in the other one, too."""
    own = found_community(
        founder=dana,
        now=NOW,
        slug="own",
        name="Own",
        language_name="Own",
        language_tag="ote",
        iso_639_3="ote",
        glottocode="mezq1235",
        script="Latn",
    )
    for role in (Role.SPEAKER, Role.EXPERT, Role.RESEARCHER):
        grant_role(person=dana, community=own, role=role, granted_by=dana, now=NOW)
    emil, speaking = make_person("emil"), Client(raise_request_exception=False)
    grant_role(person=emil, community=own, role=Role.SPEAKER, granted_by=dana, now=NOW)
    speaking.force_login(emil)
    theirs = dict(furnished.arguments)
    furnished.arguments |= {"c": "own", "communities": "own"}
    body["community"] = "own"
    before = snapshot()

    wrong = []
    for address, method, response in walk(client, furnished, body, dana):
        names_a_row = set(address.parameters) - OF_ONES_OWN
        if names_a_row and response.status_code != 404:
            wrong.append(told(address, method, response))
        if response.status_code < 300 and not response.streaming and b"test-otomi" in response.content:
            wrong.append(told(address, method, response) + " and named the other community")
        here, there = address.filled(furnished.arguments), address.filled(theirs)
        asked = [send(speaking, method, path, body) for path in dict.fromkeys([here, there])]
        for answer in asked:
            names_one = answer is asked[-1] and (names_a_row or here != there)
            if answer.status_code >= 500 or (names_one and answer.status_code != 404):
                wrong.append(told(address, method, answer) + " to a member of another community")
            if answer.status_code < 300 and not answer.streaming and b"test-otomi" in answer.content:
                wrong.append(told(address, method, answer) + " and named the other community")

    after = snapshot()
    assert not wrong, "\n".join(wrong)
    assert {key: after.get(key) for key in before} == before


def test_every_kind_of_address_is_walked() -> None:
    found = list(addresses())
    paths = {address.path for address in found}
    assert len(found) > 120
    assert {
        "c/%(slug)s/speak/words/%(pk)s/withdraw/",
        "c/%(slug)s/train/releases/%(pk)s/download/",
        "api/v1/answers/next-review/%(project)s/",
        "api/v1/projects/%(pk)s/schedule/",
    } <= paths


def test_an_address_without_a_row_fails_with_its_name() -> None:
    new = Address("speaker:new", "c/%(slug)s/speak/things/%(pk)s/", ("slug", "pk"), None)
    with pytest.raises(pytest.fail.Exception, match=r"speaker:new .* wants 'pk' after 'things'"):
        new.filled({"c": "test-otomi"})

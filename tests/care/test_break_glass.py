"""The platform's staff read nothing of a community but by broken glass: for a reason, for hours, and not unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.answers.models import Answer
from care.glass import break_glass, end_glass, glass_of
from care.models import BrokenGlass, StewardNotice
from care.restricting import place_hold
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW, make_person

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
REASON = "A court asks for the record."
DESK = "/c/test-otomi/steward/"


@pytest.fixture
def operator(db) -> Person:
    """The platform's staff."""
    person = make_person("operator")
    person.is_staff = person.is_superuser = True
    person.save()
    return person


@pytest.fixture
def breaking(community, operator):
    """breaking(...) breaks the community's glass."""

    def do(person=operator, reason=REASON, hours=1, now=NOW):
        return break_glass(community=community, person=person, reason=reason, hours=hours, now=now)

    return do


def test_it_begins_with_a_notice_and_an_entry_and_ends_by_itself(breaking, operator, community):
    glass = breaking(hours=4)
    assert glass.ends_at == NOW + 4 * HOUR
    assert glass_of(operator, "test-otomi", NOW + 4 * HOUR - timedelta(seconds=1)) == glass
    assert glass_of(operator, "test-otomi", NOW + 4 * HOUR) is None
    assert glass_of(operator, "another", NOW) is None
    notice = StewardNotice.objects.get()
    assert (notice.kind, notice.at, notice.subject) == ("glass", NOW, f"glass:{glass.pk}")
    entry = Entry.objects.get(action="glass.broken")
    assert (entry.actor, entry.details) == (str(operator.pk), {"hours": 4})


@pytest.mark.parametrize("who", ["operator", "aroha"])
def test_whoever_broke_it_and_any_steward_end_it_at_once(breaking, operator, who, request):
    glass = breaking()
    end_glass(glass=glass, ended_by=request.getfixturevalue(who), now=NOW)
    assert glass_of(operator, "test-otomi", NOW) is None
    with pytest.raises(Conflicting):
        end_glass(glass=glass, ended_by=operator, now=NOW)


def test_without_a_reason_or_for_longer_it_does_not_break(breaking, operator, ben, dana):
    for wrong in ({"reason": " "}, {"reason": "Because"}, {"hours": 5}, {"hours": 0}):
        with pytest.raises(Invalid):
            breaking(**wrong)
    for person in (ben, dana):
        with pytest.raises(NotAllowed):
            breaking(person=person)
    operator.is_active = False
    with pytest.raises(NotAllowed):
        breaking()
    assert not BrokenGlass.objects.exists()
    assert not StewardNotice.objects.exists()


def test_it_is_not_prolonged_but_broken_anew_with_a_notice_of_its_own(breaking, ben):
    glass = breaking()
    with pytest.raises(Conflicting):
        breaking()
    with pytest.raises(NotAllowed):
        end_glass(glass=glass, ended_by=ben, now=NOW)
    breaking(now=NOW + HOUR)
    assert StewardNotice.objects.count() == 2


def test_the_database_itself_lets_nobody_in_for_longer_or_without_a_reason(breaking):
    breaking()
    with pytest.raises(IntegrityError, match="four_hours"), transaction.atomic():
        BrokenGlass.objects.update(ends_at=NOW + 4 * HOUR + timedelta(seconds=1))
    with pytest.raises(IntegrityError, match="has_a_reason"), transaction.atomic():
        BrokenGlass.objects.update(reason="")


def test_staff_read_the_desk_and_change_nothing(client, community, operator, aroha, validated_corpus):
    client.force_login(operator)
    assert client.get(DESK).status_code == 404
    given = {"community": "test-otomi", "reason": REASON, "hours": 2}
    assert client.post("/break-glass/", {**given, "reason": ""}).status_code == 422
    assert client.post("/break-glass/", {**given, "community": "nowhere"}).status_code == 422
    assert "stewards have been told" in client.post("/break-glass/", given, follow=True).content.decode()

    page = client.get(DESK).content.decode()
    assert "Test project" in page
    assert "because you broke the glass" in page
    assert "aroha" in client.get(f"{DESK}members/").content.decode()
    hold = {"hold": 1, "held": f"community:{community.pk}", "cause": "hold", "note": "Mine."}
    assert client.post(f"{DESK}holds/", hold).status_code == 404
    assert client.get("/c/test-otomi/train/").status_code == 404
    assert client.get("/api/v1/projects/").json()["results"] == []
    assert not Answer.objects.visible_to(Person.objects.get(pk=operator.pk)).exists()
    with pytest.raises(NotAllowed):
        place_hold(community=community, kind="item", key="1", placed_by=operator, note="Mine.", now=NOW)

    client.force_login(aroha)
    assert "staff is reading" in client.get(DESK).content.decode()
    listed = client.get("/c/test-otomi/looked-in/").content.decode()
    assert REASON in listed
    assert "operator" in listed
    number = BrokenGlass.objects.get().pk
    assert "Ended" in client.post(f"/c/test-otomi/looked-in/{number}/end/", follow=True).content.decode()
    client.force_login(operator)
    assert client.get(DESK).status_code == 404


def test_staff_say_that_they_are_done(client, breaking, operator):
    glass = breaking(now=timezone.now())
    client.force_login(operator)
    assert client.get(DESK).status_code == 200
    client.post("/break-glass/", {"end": glass.pk})
    assert client.get(DESK).status_code == 404


def test_every_member_reads_who_looked_in_and_only_stewards_end_it(client, breaking, ben, dana):
    glass = breaking(now=timezone.now())
    client.force_login(ben)
    page = client.get("/c/test-otomi/looked-in/").content.decode()
    assert REASON in page
    assert "End it now" not in page
    assert client.post(f"/c/test-otomi/looked-in/{glass.pk}/end/").status_code == 404
    client.force_login(dana)
    assert client.get("/c/test-otomi/looked-in/").status_code == 404
    assert client.get("/break-glass/").status_code == 404


def test_one_glass_opens_one_community(operator, breaking, community):
    breaking()
    operator.looking_into = community.pk
    assert list(Community.objects.visible_to(operator)) == [community]
    assert list(Community.objects.where(operator, "steward", "researcher")) == []

"""Joining, inviting, leaving."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from people.models import Community, Invitation, Membership, Role
from people.refusals import NotAllowed
from people.services import (
    InvitationIsSpent,
    LastSteward,
    accept_invitation,
    end_membership,
    found_community,
    grant_role,
    has_role,
    invite,
    join_open_community,
)


def test_one_person_holds_several_roles_in_several_communities(community, ben, aroha, now):
    grant_role(person=ben, community=community, role=Role.EXPERT, granted_by=aroha, now=now)
    grant_role(person=ben, community=community, role=Role.EXPERT, granted_by=aroha, now=now)
    other = found_community(
        founder=ben,
        now=now,
        slug="other",
        name="O",
        language_name="X",
        language_tag="quz-PE",
        iso_639_3="quz",
        glottocode="cusc1236",
    )
    roles = {(row.community.slug, row.role) for row in Membership.objects.filter(person=ben)}
    assert roles == {(community.slug, "speaker"), (community.slug, "expert"), ("other", "steward")}
    assert set(Community.objects.visible_to(ben)) == {community, other}
    assert not has_role(ben, community, Role.STEWARD)


@pytest.mark.parametrize(
    "wrong", [{"language_tag": "otomí"}, {"iso_639_3": "OTE"}, {"glottocode": "x"}, {"script": "latn"}]
)
def test_codes_are_checked(aroha, now, wrong):
    good = {
        "slug": "a",
        "name": "A",
        "language_name": "A",
        "language_tag": "ote",
        "iso_639_3": "ote",
        "glottocode": "mezq1235",
    }
    with pytest.raises(ValidationError):
        found_community(founder=aroha, now=now, **{**good, **wrong})


def test_an_invitation_is_used_once_and_its_secret_is_not_stored(community, aroha, ben, dana, goran, now):
    secret = invite(community=community, role=Role.EXPERT, invited_by=aroha, now=now)
    assert secret not in str(Invitation.objects.values())
    accept_invitation(person=dana, secret=secret, now=now)
    assert has_role(dana, community, Role.EXPERT)
    with pytest.raises(InvitationIsSpent):
        accept_invitation(person=goran, secret=secret, now=now)
    with pytest.raises(NotAllowed):
        invite(community=community, role=Role.STEWARD, invited_by=ben, now=now)


def test_an_invitation_expires(community, aroha, dana, now):
    secret = invite(community=community, role=Role.SPEAKER, invited_by=aroha, now=now)
    with pytest.raises(InvitationIsSpent):
        accept_invitation(person=dana, secret=secret, now=now + timedelta(days=15))


def test_closed_communities_are_joined_by_invitation(community, dana, now):
    with pytest.raises(NotAllowed):
        join_open_community(person=dana, community=community, now=now)
    Community.objects.update(is_open=True)
    community.refresh_from_db()
    assert join_open_community(person=dana, community=community, now=now).role == "speaker"


def test_the_last_steward_stays(community, aroha, ben, now):
    steward = Membership.objects.get(person=aroha)
    with pytest.raises(LastSteward):
        end_membership(membership=steward, ended_by=aroha, now=now)
    grant_role(person=ben, community=community, role=Role.STEWARD, granted_by=aroha, now=now)
    end_membership(membership=steward, ended_by=aroha, now=now)
    assert not Community.objects.visible_to(aroha).exists()

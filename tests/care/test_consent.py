"""Receipts are bound to a text, purposes are separate, and withdrawal reaches back."""

import pytest

from care.models import Grant, Policy, Purpose
from care.services import (
    ConsentMissing,
    PolicyChanged,
    UnknownPurpose,
    give_consent,
    publish_policy,
    require_consent,
    withdraw_purposes,
)
from people.refusals import NotAllowed

NEEDED = [Purpose.DISPLAY_MEMBERS, Purpose.PEER_REVIEW]


def test_needed_purposes_cannot_be_left_out_and_unknown_ones_not_chosen(policy, ben, now):
    for chosen in ([Purpose.TRAIN_NONCOMMERCIAL], [*NEEDED, "sell"]):
        with pytest.raises(UnknownPurpose):
            give_consent(person=ben, policy=policy, purposes=chosen, now=now)


def test_a_new_policy_asks_again_and_keeps_the_old_receipt(policy, ben, aroha, community, now):
    old = give_consent(person=ben, policy=policy, purposes=NEEDED, now=now)
    assert require_consent(ben, community) == old
    new = publish_policy(
        waiver="For tests.", community=community, text="Changed.", purposes=NEEDED, published_by=aroha, now=now
    )
    with pytest.raises(PolicyChanged):
        require_consent(ben, community)
    with pytest.raises(PolicyChanged):
        give_consent(person=ben, policy=Policy.objects.get(pk=policy.pk), purposes=NEEDED, now=now)
    receipt = give_consent(person=ben, policy=new, purposes=NEEDED, now=now)
    assert require_consent(ben, community) == receipt
    old.refresh_from_db()
    assert old.ended_at == now


def test_choosing_fewer_purposes_withdraws_them_from_earlier_words(policy, ben, now):
    first = give_consent(person=ben, policy=policy, purposes=[*NEEDED, Purpose.TRAIN_NONCOMMERCIAL], now=now)
    give_consent(person=ben, policy=policy, purposes=NEEDED, now=now)
    live = set(Grant.objects.live().filter(receipt=first).values_list("purpose", flat=True))
    assert live == {purpose.value for purpose in NEEDED}


def test_withdrawing_everything_ends_the_receipt(policy, ben, community, now):
    give_consent(person=ben, policy=policy, purposes=NEEDED, now=now)
    assert withdraw_purposes(person=ben, community=community, purposes=Purpose.values, now=now) == 2
    with pytest.raises(ConsentMissing):
        require_consent(ben, community)


def test_only_stewards_publish(community, ben, now):
    with pytest.raises(NotAllowed):
        publish_policy(waiver="For tests.", community=community, text="x", purposes=NEEDED, published_by=ben, now=now)

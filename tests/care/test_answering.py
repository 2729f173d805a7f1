"""A request for access is answered within thirty days, or stewards are told and whoever asked sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from care.agreements import close_agreement, put_to_decision, reject_agreement, return_agreement, submit_agreement
from care.answering import mark_unanswered
from care.deciding import close_proposal, keep_time, take_back_proposal
from care.harm import read_notice
from care.jobs import mark_unanswered_job
from care.models import Agreement, Decision, StewardNotice
from ledger.models import Entry
from tests.care.agreeing import submitted
from tests.care.deciding import adopt, make_stewards, voted
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, WITHIN = timedelta(minutes=1), timedelta(days=30)
DUE = NOW + WITHIN


def times(agreement):
    return Agreement.objects.values_list("answer_due_at", "late_since").get(pk=agreement.pk)


def read(person, address):
    client = Client()
    client.force_login(person)
    return client.get(address).text


def test_time_runs_out_to_the_minute_and_both_sides_see_it(community, dana, aroha):
    request = submitted(community, dana)
    pages = (dana, f"/agreements/{request.pk}/"), (aroha, f"/c/{community.slug}/steward/agreements/{request.pk}/")
    assert times(request) == (DUE, None)
    assert mark_unanswered(now=DUE - MINUTE) == 0
    assert not StewardNotice.objects.exists()
    for person, address in pages:
        assert "By 1 April 2026, 09:00 at the latest" in read(person, address)

    assert mark_unanswered(now=DUE) == 1
    assert mark_unanswered(now=DUE + MINUTE) == 0

    assert times(request) == (DUE, DUE)
    notice = StewardNotice.objects.get()
    assert (notice.kind, notice.number, notice.read_at) == ("unanswered", request.pk, None)
    entry = Entry.objects.get(action="agreement.late")
    assert (entry.subject, entry.actor, entry.details) == (f"agreement:{request.pk}", "", {})
    for person, address in (*pages, (dana, "/agreements/"), (aroha, f"/c/{community.slug}/steward/agreements/")):
        text = read(person, address)
        assert ">late</span>" in text
        assert "Was due by 1 April 2026, 09:00" in text
    desk = read(aroha, f"/c/{community.slug}/steward/")
    assert "A request for access has not been answered in time." in desk
    assert pages[1][1] in desk


@pytest.mark.parametrize("answer", ["returned", "refused", "decided", "closed", "put to the vote"])
def test_an_answer_ends_it_also_when_it_came_late(community, dana, aroha, answer):
    request = submitted(community, dana)
    mark_unanswered(now=DUE)
    by = {"agreement": request, "now": DUE}
    if answer == "returned":
        return_agreement(**by, words="Which model?", returned_by=aroha)
    elif answer == "refused":
        reject_agreement(**by, words="No.", rejected_by=aroha)
    elif answer == "decided":
        put_to_decision(**by, text="Yes.", proposer=aroha)
    elif answer == "closed":
        close_agreement(**by, closed_by=dana)
    else:
        make_stewards(community)
        adopt(community, aroha)
        put_to_decision(**by, text="Yes.", proposer=aroha)
    assert times(request) == (None, None)
    assert mark_unanswered(now=DUE + WITHIN) == 0


def test_what_is_sent_again_is_due_anew_and_told_anew(community, dana, aroha):
    request = submitted(community, dana)
    mark_unanswered(now=DUE)
    read_notice(notice=StewardNotice.objects.get(), read_by=aroha, now=DUE)
    return_agreement(agreement=request, words="Which model?", returned_by=aroha, now=DUE)
    submit_agreement(agreement=request, submitted_by=dana, now=DUE)
    assert times(request) == (DUE + WITHIN, None)

    assert mark_unanswered(now=DUE + WITHIN) == 1
    notice = StewardNotice.objects.unread().get()
    assert (notice.at, notice.read_by) == (DUE + WITHIN, None)
    assert Entry.objects.filter(action="agreement.late").count() == 2


@pytest.mark.parametrize("came_to", ["taken back", "no quorum", "no effect", "rejected", "passed"])
def test_a_vote_that_came_to_nothing_leaves_the_answer_due_anew(community, dana, aroha, came_to):
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha)
    request = submitted(community, dana)
    proposal = put_to_decision(agreement=request, text="Yes.", proposer=aroha, now=NOW)
    end = proposal.closes_at
    if came_to == "taken back":
        take_back_proposal(proposal=proposal, taken_back_by=aroha, now=end)
    else:
        voted(proposal, stewards if came_to != "no quorum" else [], "against" if came_to == "rejected" else "for")
        close_proposal(proposal=proposal, now=end)
    if came_to in {"no effect", "passed"}:
        assert times(request) == (None, None)  # while an appeal is possible
        if came_to == "no effect":
            Decision.objects.filter(matter="agreement").update(effective_from=NOW, expires_at=NOW + MINUTE)
        end += timedelta(days=3)
        keep_time(now=end)

    request.refresh_from_db()
    is_open = came_to in {"taken back", "no quorum", "no effect"}
    assert (request.state == "submitted") is is_open
    assert times(request) == (end + WITHIN if is_open else None, None)


def test_the_clock_job_is_scheduled_and_marks_them(community, dana, settings):
    submitted(community, dana)
    task = settings.CELERY_BEAT_SCHEDULE["mark-unanswered-requests"]
    assert (task["task"], task["schedule"]) == (mark_unanswered_job.name, 3600)
    # The job reads the present time, which is months after this.
    assert mark_unanswered_job() == 1
    assert mark_unanswered_job() == 0

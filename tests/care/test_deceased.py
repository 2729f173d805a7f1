"""Whoever has died is neither read nor named any more, on every page and in every answer of the API."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from annotation.answers.judging import open_judging
from annotation.answers.models import Answer, AnswerEvent, Review
from annotation.answers.services import submit_answer
from annotation.projects.services import lease_task
from annotation.rewards.services import score_changes
from care.deciding import DecisionNeeded, keep_time
from care.harm import decide_report, investigate, report_harm, triage
from care.models import Purpose
from care.restricting import lift, place_hold
from people.models import Community, Person
from people.refusals import Conflicting, Invalid
from tests.care.deciding import adopt, closed, make_stewards, opened, voted
from tests.conftest import NOW
from tests.guards import conftest as guards
from tests.guards.addresses import Address, addresses
from training.releases.services import selected_answers

# A community with at least one of everything that has an address.
furnished, _nothing_long = guards.furnished, guards._nothing_long
pytestmark = pytest.mark.django_db
WORDS, NAME = "canarytext", "canaryname"


@pytest.fixture
def speaking(furnished, ben, aroha, settings):
    """Ben's words everywhere that words go, each with a text that nobody else would write."""
    ben.display_name = f"{NAME} the speaker"
    ben.save()
    for number, answer in enumerate(Answer.objects.filter(author=ben)):
        Answer.objects.filter(pk=answer.pk).update(text=f"{WORDS} number{number}")
    AnswerEvent.objects.filter(answer__author=ben, text__gt="").update(text=f"{WORDS} as it was")
    first = furnished.answer.task.project
    Review.objects.filter(reviewer=ben).update(note=f"{WORDS} in a note")
    Community.objects.update(experts_see_names=True)
    score_changes(now=NOW + timedelta(days=1))
    furnished.judging = open_judging(project=first, kind="rate", title="Rating", opened_by=aroha, now=NOW)
    # Which work comes first is left to chance, so there is only work on Ben's words.
    furnished.judging.tasks.exclude(item__quotations__answer__author=ben).delete()
    held_out = furnished.release.items.filter(answer__author=ben).first()
    report = furnished.adapter.report
    report["evaluation"]["samples"][0] |= {"id": str(held_out.answer_id), "reference": f"{WORDS} measured"}
    furnished.adapter.save(update_fields=["report"])
    own = lease_task(project=furnished.project, person=ben, now=NOW)
    submit_answer(assignment=own, author=ben, client_id=uuid4(), now=NOW, text=f"{WORDS} to be reviewed")
    for path in Path(settings.RELEASES_DIR).rglob("*.jsonl"):
        path.write_text(path.read_text().replace("traducción", WORDS))
    return furnished


def readable() -> list[Address]:
    """The addresses that are read, but for the stream, which waits, and the page that browsers fill in."""
    ours = [one for one in addresses() if one.is_ours and "get" in one.methods]
    return [one for one in ours if one.name not in {"public:stream", "public:device"}]


def found_by(client, person, rows, among) -> tuple[dict[str, str], list[Address]]:
    """The addresses at which the person finds the canaries: what was found, by name; and all that opened to them."""
    client.force_login(person)
    found: dict[str, str] = {}
    opened = []
    for address in among:
        response = client.get(address.filled(rows.arguments), {"period": "all"})
        if response.status_code != 200:
            continue
        opened.append(address)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                content = b"".join(packed.read(name) for name in packed.namelist())
        seen = [word for word in (WORDS, NAME) if word in content.decode(errors="replace")]
        if seen:
            found[address.name] = " ".join(seen)
    return found, opened


# Where stewards must be able to name whom they look after, and whose words they hold back.
OF_STEWARDS = {
    *("steward:members", "steward:grant", "steward:invite", "steward:checks", "steward:checker"),
    *("steward:delegation", "steward:restrictions", "steward:record"),
}


def test_a_hold_on_somebody_who_has_died_reaches_every_page_and_the_whole_api(
    client, speaking, ben, goran, chen, esi, aroha, community
):
    def is_quoted() -> bool:
        client.force_login(goran)
        return WORDS in client.get(f"/c/test-otomi/speak/work/{speaking.judging.pk}/").content.decode()

    before = {one.username: found_by(client, one, speaking, readable()) for one in (goran, chen, esi)}
    found = {name: set(pages) for name, (pages, _) in before.items()}
    assert is_quoted()
    # Without these the test would show nothing: list, detail, search, feed, boards, export, report, queue, API.
    assert {"speaker:play", "speaker:review", "speaker:words", "api-answers-list", "api-answers-detail"} <= found[
        "goran"
    ]
    assert {"researcher:dataset", "researcher:download", "researcher:run", "api-adapters-report"} <= found["esi"]
    assert {"expert:queue", "expert:settled", "expert:answer", "api-disputes-list"} <= found["chen"]
    assert {NAME, WORDS} <= set(" ".join(before["chen"][0].values()).split())

    report_harm(community=community, kind="person", key=str(ben.pk), category="died", words="", reporter=goran, now=NOW)

    # A hold opens nothing, so what was closed to them before is not asked for again.
    after = {one.username: found_by(client, one, speaking, before[one.username][1])[0] for one in (goran, chen, esi)}
    assert after == {"goran": {}, "chen": {}, "esi": {}}
    assert not is_quoted()
    of_steward, _ = found_by(client, aroha, speaking, readable())
    assert set(of_steward) <= OF_STEWARDS
    assert WORDS not in " ".join(of_steward.values())


def test_none_of_the_words_goes_into_a_release_or_any_other_use(validated_corpus, project, ben, community, aroha):
    place = {"community": community, "kind": "person", "key": str(ben.pk), "placed_by": aroha, "now": NOW}
    place_hold(note="We are in mourning.", hides=True, cause="deceased", **place)
    selected = selected_answers(project, "train_noncommercial")
    assert selected.count() == 8
    assert not selected.filter(author=ben).exists()
    for purpose in Purpose.values:
        assert not Answer.objects.eligible_for(purpose).filter(author=ben).exists()


def test_only_the_community_lets_words_be_read_again(validated_corpus, ben, goran, community, aroha):
    make_stewards(community)
    adopt(community, aroha)
    about = {"community": community, "kind": "person", "key": str(ben.pk), "words": ""}
    report, _ = report_harm(**about, category="died", reporter=goran, now=NOW)
    triage(report=report, holds=True, triaged_by=aroha, now=NOW)
    investigate(report=report, begun_by=aroha, now=NOW)
    say = {"report": report, "answer": "We have talked about it.", "decided_by": aroha, "now": NOW}

    with pytest.raises(Invalid):
        decide_report(outcome="upheld", **say)
    with pytest.raises(Conflicting, match="First your community decides"):
        decide_report(outcome="keep", **say)
    with pytest.raises(DecisionNeeded):
        lift(restriction=report.hold, lifted_by=aroha, now=NOW)
    proposal = opened(community, aroha, matter="label", subject=f"restriction:{report.hold_id}", text="Keep the words.")
    voted(proposal, [aroha, *Person.objects.filter(username__in=["iris", "jonas"])])
    then = closed(proposal).effective_from
    keep_time(now=then)
    lift(restriction=report.hold, lifted_by=aroha, now=then)

    decide_report(outcome="keep", **say)
    assert Answer.objects.visible_to(goran).filter(author=ben).count() == 4

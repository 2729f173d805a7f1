"""Words under governance, from the consent text to the notice that they were taken back, in real browsers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.projects.models import Project
from care.deciding import close_proposal, keep_time
from care.models import Agreement, Policy, Proposal, Purpose, Withdrawal
from care.services import give_consent
from people.models import Community, Person
from tests.browser.gathering import publish_consent_text, sign_in
from tests.browser.speaking import SEND, agree, field_of
from tests.browser.visitor import DESK, Visitor
from tests.care.agreeing import TERMS, promised
from tests.care.deciding import adopt, make_stewards, voted
from tests.conftest import TRAINING
from tests.stored import store_answer, store_approvals
from training.lineage.services import follow_withdrawals
from training.releases.models import Download, DownloadNotice, Release

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
HOME = "/c/test-otomi/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., datetime]:
    """clock(hours=80) lets time go by, for the site too; clock() tells it."""
    usual, ahead = timezone.now, [timedelta()]

    def tell(**by: int) -> datetime:
        ahead[0] += timedelta(**by)
        return usual() + ahead[0]

    monkeypatch.setattr("django.utils.timezone.now", tell)
    return tell


def test_from_the_consent_text_to_the_notice(
    visit: Callable[..., Visitor],
    community: Community,
    project: Project,
    aroha: Person,
    ben: Person,
    filipa: Person,
    goran: Person,
    esi: Person,
    dana: Person,
    clock: Callable[..., datetime],
) -> None:
    stewards = make_stewards(community)
    steward = visit("aroha", width=DESK)
    sign_in(steward, f"{HOME}steward/")
    steward.see("Stewardship")
    publish_consent_text(steward)

    speaker = visit("ben")
    sign_in(speaker, f"{HOME}speak/")
    agree(speaker, "Translate")
    _contribute(speaker, project, ben, [filipa, goran], clock())

    # Short times, so that nobody is signed out meanwhile.
    adopt(community, aroha, min_days=0, max_days=1, cooling_off_hours=1)
    _vote_on_a_release(steward, stewards, project, clock)
    esis = visit("esi", width=DESK)
    _freeze(esis, project)

    Community.objects.filter(pk=community.pk).update(is_open=True)
    outside = visit("dana")
    agreement = _ask_for_access(outside, clock)
    _decide_and_sign(steward, outside, agreement, stewards, clock)
    with outside.page.expect_download() as got:
        outside.click("Release 1 (zip)")
    assert got.value.suggested_filename.endswith(".zip")
    assert Download.objects.get(agreement=agreement).release.number == 1

    _take_back(speaker)
    _delete_the_researcher_s_copy(esis, steward)
    notice = DownloadNotice.objects.get(download__agreement=agreement)
    outside.open(f"/agreements/{agreement.pk}/")
    outside.see("Access to Test community")
    outside.read("Delete or replace a download")
    outside.click("Every copy is deleted")
    outside.see("Access to Test community")
    notice.refresh_from_db()
    assert notice.answer == "deleted"
    case = Withdrawal.objects.get()
    assert case.stages.filter(name="holders_told", done_at__isnull=True).exists()
    follow_withdrawals(now=clock())
    assert case.stages.filter(name="holders_told", done_at__isnull=False).exists()
    speaker.open("/me/data/")
    speaker.see("My data")
    steward.open(f"{HOME}steward/agreements/{agreement.pk}/")
    steward.see(TERMS["organisation"])
    steward.open(f"{HOME}transparency/")
    steward.see("What became of our words")
    steward.read("words were taken back")


def _contribute(speaker: Visitor, project: Project, ben: Person, others: list[Person], now: datetime) -> None:
    """One answer in the browser; the others' are stored, and all are approved."""
    speaker.open(f"{HOME}speak/work/{project.pk}/")
    speaker.see(project.title)
    field_of(speaker).fill("ñäʼ ben")
    speaker.click(SEND)
    speaker.read("Thank you. It is stored, and others will check it.")
    speaker.look()
    policy = Policy.objects.get()
    for person in others:
        give_consent(person=person, policy=policy, purposes=TRAINING, now=now)
    answers = list(ben.answers.all())
    written = {answer.task_id for answer in answers}
    documents = list(project.tasks.order_by("item__source", "item__position").exclude(pk__in=written))
    source = answers[0].task.item.source_id
    for task in documents:
        who = ben if task.item.source_id == source else others[task.item.source_id % 2]
        answers.append(store_answer(task, who, now=now, text=f"ñäʼ {task.pk}"))
    store_approvals(answers, [ben, *others], now=now)


def _vote_on_a_release(steward: Visitor, stewards: list[Person], project: Project, clock: Callable[..., Any]) -> None:
    """Proposed in the browser, voted on by all; the time for votes and for appeals goes by."""
    steward.open(f"{HOME}steward/proposals/new/?matter=release&subject=project:{project.pk}")
    steward.write("What is proposed, and why?", "A first collection.")
    steward.look()
    steward.click("Next")
    for _ in range(4):
        if steward.page.get_by_role("button", name="Propose it").count():
            break
        steward.click("Next")
    steward.click("Propose it")
    proposal = Proposal.objects.get(matter="release", state="open")
    steward.page.get_by_role("button", name="I am for it").click()
    steward.read("Until now: for it. You can change it.")
    steward.look()
    voted(proposal, stewards, at=clock())
    _let_it_hold(proposal, clock)


def _let_it_hold(proposal: Proposal, clock: Callable[..., datetime]) -> None:
    clock(days=(proposal.closes_at - clock()).days + 1)
    decision = close_proposal(proposal=proposal, now=clock())
    clock(days=(decision.effective_from - clock()).days + 1)
    keep_time(now=clock())
    decision.refresh_from_db()
    assert decision.state == "in_force"


def _freeze(researcher: Visitor, project: Project) -> None:
    sign_in(researcher, f"{HOME}train/freeze/?project={project.pk}")
    researcher.see("Freeze a release")
    researcher.click("Freeze")
    researcher.look()
    assert Release.objects.get().purpose == Purpose.TRAIN_NONCOMMERCIAL
    with researcher.page.expect_download():
        researcher.click("Download (zip)")


def _delete_the_researcher_s_copy(researcher: Visitor, steward: Visitor) -> None:
    """What a member took home is to be deleted like anybody's."""
    steward.open(f"{HOME}train/copies/")
    steward.see("Copies of releases")
    steward.click("Answer in their place")
    steward.click("Nobody reaches them")
    steward.read("Write how you know.")
    steward.forgive(422)
    steward.picture("copies-steward")
    steward.look()
    researcher.open("/me/copies/")
    researcher.see("Copies that I hold")
    researcher.picture("copies-mine")
    researcher.open(f"{HOME}train/")
    researcher.see("Train")
    researcher.click("Words in one download were taken back: it is to be deleted.")
    researcher.see("Copies of releases")
    researcher.picture("copies")
    researcher.click("Every copy is deleted")
    researcher.see("Copies of releases")
    researcher.read("Thank you. It is written down.", "deleted everywhere")


def _ask_for_access(outside: Visitor, clock: Callable[..., datetime]) -> Agreement:
    """The first screen in the browser, the others as they are tested where they live."""
    sign_in(outside, f"{HOME}access/")
    outside.see("Access for people outside")
    outside.click("Begin a request")
    outside.look()
    made = Agreement.objects.get()
    day = clock()
    terms = {**TERMS, "starts_on": day.date(), "ends_at": day + timedelta(days=200)}
    Agreement.objects.filter(pk=made.pk).update(**terms)
    made.refresh_from_db()
    promised(made, due_on=(day + timedelta(days=60)).date(), now=day)
    outside.open(f"/agreements/{made.pk}/")
    outside.see("Access to Test community")
    outside.click("Send it to the community")
    outside.see("Access to Test community")
    outside.read("The community reads your request and decides on it.")
    return made


def _decide_and_sign(
    steward: Visitor, outside: Visitor, agreement: Agreement, stewards: list[Person], clock: Callable[..., datetime]
) -> None:
    address = f"{HOME}steward/agreements/{agreement.pk}/"
    steward.open(address)
    steward.see(TERMS["organisation"])
    steward.click("Put it to the vote")
    steward.page.locator("details[open] textarea").first.fill("They are welcome.")
    steward.click("Open the vote")
    proposal = Proposal.objects.get(matter="agreement")
    voted(proposal, stewards, at=clock())
    _let_it_hold(proposal, clock)
    outside.open(f"/agreements/{agreement.pk}/")
    outside.see("Access to Test community")
    outside.click("I sign these terms")
    steward.open(address)
    steward.see(TERMS["organisation"])
    steward.click("I sign for the community")
    steward.see(TERMS["organisation"])
    outside.open(f"/agreements/{agreement.pk}/")
    outside.see("Access to Test community")


def _take_back(speaker: Visitor) -> None:
    """One answer, in two screens."""
    speaker.open(f"{HOME}speak/words/")
    speaker.see("My words")
    speaker.page.get_by_role("link", name="Take it back").first.click()
    speaker.look()
    speaker.page.get_by_role("button", name="Take it back").click()
    speaker.see("My words")

"""Every command of people, care, annotation and training, called once on rows that are really there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from annotation.answers.judging import open_judging
from annotation.conflicts.services import adjudicate, ask_expert, make_example, reopen
from annotation.corpora.pictures import Upload, import_pictures
from annotation.corpora.services import import_upload
from annotation.guard.services import freeze_person, spare_person, unfreeze_person
from annotation.projects.guidelines import number_of, write_guidelines
from annotation.projects.models import Task
from annotation.projects.ordering import hand_out_by_document, hand_out_first
from annotation.projects.services import open_project, set_checks, set_project_state, set_review_rule
from annotation.revision.again import ask_for_more
from annotation.revision.batches import undo_batch
from annotation.standing.models import Standing
from care import agreements, benefits
from care.ages import keep_ages, record_guardian, set_age_rule, state_age
from care.glass import break_glass, end_glass
from care.harm import (
    close_report,
    decide_report,
    hold_after_all,
    investigate,
    mark_late,
    remedy,
    report_harm,
    triage,
)
from care.hub import follow_project, unfollow_project
from care.models import Agreement, Commitment, HarmReport
from care.renderings import check_rendering, keep_draft, write_rendering
from care.restricting import lift, place_hold, put_label, suspend_purpose
from care.services import give_consent, publish_policy, withdraw_purposes
from care.tokens import end_token, make_token
from people.fonts import remove_font, set_font
from people.language import save_orthography, save_variety, set_own_words
from people.models import Community
from people.services import (
    accept_invitation,
    end_membership,
    found_community,
    grant_role,
    invite,
    join_open_community,
    show_names_to_experts,
)
from tests.annotation.test_pictures import made
from tests.conftest import NOW, TRAINING
from training.mining.models import Probe
from training.mining.services import ask_for_probe
from training.mining.trials import open_trial
from training.releases.access import download_release
from training.releases.downloads import take_home
from training.releases.models import Download, DownloadNotice
from training.releases.notices import answer_notice

pytest_plugins = ["tests.revision.labelled"]

Act = Callable[[], object]


def people(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of people and care."""
    font = {"content": b"x", "name": "Made up", "licence": "CC0"}
    other = {"slug": "other", "name": "Other", "language_name": "Other", "language_tag": "ote", "script": "Latn"}
    other |= {"iso_639_3": "ote", "glottocode": "mezq1235"}
    opened = Community.objects.get(pk=s.community.pk)
    opened.is_open = True
    secret = invite(**s.who, role="speaker", invited_by=s.aroha)
    variety = {"code": "new", "name": "New", "pk": None}
    return {
        "found_community": partial(found_community, founder=s.dana, now=NOW, **other),
        "grant_role": partial(grant_role, **s.who, person=s.dana, role="speaker", granted_by=s.aroha),
        "end_membership": partial(end_membership, membership=s.membership, ended_by=s.aroha, now=NOW),
        "join_open_community": partial(join_open_community, person=s.dana, community=opened, now=NOW),
        "invite": partial(invite, **s.who, role="speaker", invited_by=s.aroha),
        "accept_invitation": partial(accept_invitation, person=s.dana, secret=secret, now=NOW),
        "put_label": partial(put_label, **s.who, kind="source", key="1", code="tkss", placed_by=s.aroha),
        "place_hold": partial(place_hold, **s.who, kind="item", key="1", note="A reason.", placed_by=s.aroha),
        "suspend_purpose": partial(suspend_purpose, **s.who, purpose="research", note="", placed_by=s.aroha),
        "lift": partial(lift, restriction=s.restriction, lifted_by=s.aroha, now=NOW),
        "show_names_to_experts": partial(show_names_to_experts, **s.who, are_shown=True, changed_by=s.aroha),
        "set_font": partial(set_font, **s.who, set_by=s.aroha, **font),
        "remove_font": partial(remove_font, **s.who, removed_by=s.aroha),
        "save_orthography": partial(
            save_orthography, **s.who, saved_by=s.aroha, name="New", script="Latn", characters="a", pk=None
        ),
        "save_variety": partial(save_variety, **s.who, saved_by=s.aroha, **variety),
        "set_own_words": partial(set_own_words, **s.who, words={"a": "b"}, known={"a"}, set_by=s.aroha),
        "publish_policy": partial(
            publish_policy, **s.who, text="New.", waiver="Why.", purposes=TRAINING, published_by=s.aroha
        ),
        "keep_draft": partial(keep_draft, **s.who, text="New.", purposes=TRAINING, kept_by=s.aroha),
        "write_rendering": partial(write_rendering, **s.who, **s.rendered, written_by=s.aroha),
        "follow_project": partial(
            follow_project, **s.who, hub_id=f"{7:032x}", kind="community", key="1", followed_by=s.aroha
        ),
        "unfollow_project": partial(unfollow_project, project=s.hub_project, unfollowed_by=s.aroha, now=NOW),
        "check_rendering": partial(
            check_rendering, rendering=s.rendering, sha256=s.rendering.sha256, checked_by=s.ben, objection="", now=NOW
        ),
        "give_consent": partial(give_consent, person=s.dana, policy=s.policy, purposes=TRAINING, now=NOW),
        "withdraw_purposes": partial(withdraw_purposes, **s.who, person=s.ben, purposes=TRAINING),
    }


def responsibility(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of care about harm, age and broken glass."""
    read, looked = partial(triage, report=s.report, holds=True, triaged_by=s.aroha, now=NOW), partial(_looked_into, s)
    decide = {"outcome": "upheld", "answer": "Thank you.", "decided_by": s.aroha, "now": NOW}
    return {
        "set_age_rule": partial(set_age_rule, **s.who, years=18, set_by=s.aroha),
        "state_age": partial(state_age, **s.who, person=s.ben, band="young", of_age_in="2031-04", stated_by=s.ben),
        "record_guardian": after(
            partial(state_age, **s.who, person=s.ben, band="young", of_age_in="2031-04", stated_by=s.ben),
            lambda _: record_guardian(**s.who, person=s.ben, guardian="An aunt", witnessed_by=s.aroha),
        ),
        "keep_ages": partial(keep_ages, now=NOW + timedelta(days=2000)),
        "break_glass": partial(
            break_glass, community=s.community, person=s.operator, reason="A court asks.", hours=1, now=NOW
        ),
        "end_glass": after(
            lambda: break_glass(community=s.community, person=s.operator, reason="A court asks.", hours=1, now=NOW),
            lambda glass: end_glass(glass=glass, ended_by=s.aroha, now=NOW),
        ),
        "report_harm": partial(report_harm, **s.who, kind="item", key="1", category="threat", words="", reporter=s.ben),
        "triage": read,
        "hold_after_all": after(
            lambda: triage(report=_light_report(s), holds=False, triaged_by=s.aroha, now=NOW),
            lambda report: hold_after_all(report=report, held_by=s.aroha, now=NOW),
        ),
        "investigate": after(read, lambda report: investigate(report=report, begun_by=s.aroha, now=NOW)),
        "decide_report": after(looked, lambda report: decide_report(report=report, **decide)),
        "remedy": after(
            lambda: decide_report(report=looked(), **decide),
            lambda report: remedy(report=report, done="Done.", done_by=s.aroha, now=NOW),
        ),
        "close_report": after(
            lambda: remedy(report=decide_report(report=looked(), **decide), done="Done.", done_by=s.aroha, now=NOW),
            lambda report: close_report(report=report, closed_by=s.aroha, now=NOW),
        ),
        "mark_late": partial(mark_late, now=NOW + timedelta(days=2)),
    }


def _light_report(s: SimpleNamespace) -> HarmReport:
    return report_harm(**s.who, kind="item", key="2", category="offensive", words="", reporter=None)[0]


def _looked_into(s: SimpleNamespace) -> HarmReport:
    report = triage(report=s.report, holds=True, triaged_by=s.aroha, now=NOW)
    return investigate(report=report, begun_by=s.aroha, now=NOW)


def annotation(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of annotation but for those of experts."""
    file = {"name": "a.tsv", "content": b"text\nuna", "title": "A"}
    stated = {"title": "A", "source_language_name": "Spanish", "source_language_tag": "es"}
    by, reason = {"project": s.second, "changed_by": s.aroha, "now": NOW}, {**s.who, "reason": "A reason."}
    pictures = {"uploads": [Upload("a.jpg", made((8, 8)))], "prompt": "What do you see?", "title": "A"}
    terms = {"licence": "CC0", "language_tag": "es"}
    task = Task.objects.filter(project=s.second, state="open").first()
    done = s.answer.task_id
    return {
        "store_lines": partial(import_upload, **s.who, imported_by=s.aroha, **file, **terms),
        "import_pictures": partial(import_pictures, **s.who, imported_by=s.aroha, **pictures, **terms),
        "open_project": partial(open_project, **s.who, created_by=s.aroha, sources=[s.source], **stated),
        "open_trial": after(
            partial(_read, s),
            lambda probe: open_trial(probes=[probe], title="A", opened_by=s.esi, now=NOW),
        ),
        "open_judging": partial(open_judging, project=s.first, kind="rate", title="A", opened_by=s.aroha, now=NOW),
        "set_review_rule": partial(set_review_rule, **s.who, votes={"concordant": 2}, changed_by=s.aroha),
        "set_project_state": partial(set_project_state, **by, state="closed"),
        "set_checks": partial(set_checks, **by, checks={}),
        "hand_out_first": partial(hand_out_first, **by, urgency={task.pk: 1.5}, control_share=0.2),
        "hand_out_by_document": partial(hand_out_by_document, **by),
        "write_guidelines": partial(
            write_guidelines, project=s.second, text="New.", number=number_of(s.second), written_by=s.aroha, now=NOW
        ),
        "freeze_person": partial(freeze_person, **reason, person=s.ben, frozen_by=s.aroha),
        "unfreeze_person": after(
            partial(freeze_person, **reason, person=s.ben, frozen_by=s.aroha),
            lambda _: unfreeze_person(**reason, person=s.ben, unfrozen_by=s.aroha),
        ),
        "spare_person": after(
            lambda: Standing.objects.filter(person=s.ben).update(is_stopped=True),
            lambda _: spare_person(**reason, person=s.ben, spared_by=s.aroha),
        ),
        "ask_for_more": partial(ask_for_more, tasks=[done], asked_by=s.esi, now=NOW),
    }


def _read(s: SimpleNamespace) -> Probe:
    """What the adapter and its base model wrote to held-out requests."""
    probe = ask_for_probe(adapter=s.adapter, of="held_out", beside_base=True, asked_by=s.esi, now=NOW)
    probe.readings.update(is_read=True, entropy=1.0, text="ñä", rival_text="xy")
    probe.state = Probe.State.FINISHED
    probe.save()
    return probe


def experts(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of experts."""
    decide = partial(adjudicate, answer=s.disputed, expert=s.chen, decision="accept", reason="Right.", now=NOW)
    return {
        "adjudicate": decide,
        "reopen": after(decide, lambda made: reopen(adjudication=made, expert=s.chen, reason="No.", now=NOW)),
        "make_example": after(decide, lambda made: make_example(adjudication=made, expert=s.chen, now=NOW)),
        "ask_expert": partial(ask_expert, answer=s.answer, steward=s.aroha, note="Look.", now=NOW),
        "undo_batch": partial(undo_batch, batch=s.batch, expert=s.chen, now=NOW),
    }


def access(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of access agreements and of what is promised for them."""
    sent, rua = s.agreement, s.agreement.applicant
    by, words = {"agreement": sent, "now": NOW}, {"words": "Why?"}
    agreements.put_to_decision(**by, proposer=s.aroha, text="Yes.")

    def was(state: str) -> Act:
        return lambda: Agreement.objects.update(state=state)

    def in_force() -> None:
        Agreement.objects.update(state="active", **signed_by(s.aroha))

    def held() -> None:
        in_force()
        make_token(**by, person=rua)

    def at_home() -> None:
        in_force()
        Agreement.objects.update(computing_countries=["ZZ"])

    def hand_out(_: Any) -> Download:
        given = Agreement.objects.get()
        return download_release(agreement=given, release=s.release, person=rua, now=NOW)[0]

    def downloaded() -> DownloadNotice:
        at_home()
        return DownloadNotice.objects.create(download=hand_out(None), queued_at=NOW, due_at=NOW)

    return {
        "begin_agreement": partial(
            agreements.begin_agreement, **s.who, applicant=s.dana, begun_by=s.aroha, renews=None
        ),
        "submit_agreement": after(was("draft"), lambda _: agreements.submit_agreement(**by, submitted_by=rua)),
        "return_agreement": after(
            was("submitted"), lambda _: agreements.return_agreement(**by, **words, returned_by=s.aroha)
        ),
        "reject_agreement": after(
            was("submitted"), lambda _: agreements.reject_agreement(**by, **words, rejected_by=s.aroha)
        ),
        "sign_agreement": partial(agreements.sign_agreement, **by, signed_by=s.aroha),
        "suspend_access": after(
            in_force, lambda _: agreements.suspend_access(**by, reason="Stop.", suspended_by=s.aroha)
        ),
        "revoke_access": partial(agreements.revoke_access, **by, reason="Stop.", revoked_by=s.aroha),
        "close_agreement": partial(agreements.close_agreement, **by, closed_by=rua),
        "make_token": after(in_force, lambda _: make_token(**by, person=rua)),
        "end_token": after(held, lambda _: end_token(**by, person=rua, ended_by=rua)),
        "download_release": after(at_home, hand_out),
        "take_home": partial(take_home, release=s.release, taken_by=s.aroha, now=NOW),
        "answer_notice": after(
            downloaded, lambda made: answer_notice(notice=made, answer="deleted", answered_by=rua, now=NOW)
        ),
    }


def promises(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of what is promised for access."""
    rua, mine = s.agreement.applicant, {"commitment": s.agreement.commitments.get(), "now": NOW}

    def in_force() -> None:
        Agreement.objects.update(state="active", **signed_by(s.aroha))

    def delivered() -> None:
        in_force()
        Commitment.objects.update(state="delivered", evidence="A list.")

    return {
        "promise_benefit": after(
            in_force,
            lambda _: benefits.promise_benefit(
                agreement=s.agreement, now=NOW, words="Much.", promised_by=rua, kind="money", due_on=NOW.date()
            ),
        ),
        "drop_benefit": after(
            lambda: Agreement.objects.update(state="draft"), lambda _: benefits.drop_benefit(**mine, dropped_by=rua)
        ),
        "deliver_benefit": after(
            in_force, lambda _: benefits.deliver_benefit(**mine, evidence="A list.", delivered_by=rua)
        ),
        "dispute_benefit": after(
            delivered, lambda _: benefits.dispute_benefit(**mine, remark="No.", disputed_by=s.aroha)
        ),
        "confirm_benefit": after(delivered, lambda _: benefits.confirm_benefit(**mine, confirmed_by=s.aroha)),
    }


def signed_by(steward: Any) -> dict[str, Any]:
    """What an agreement in force has."""
    return {"applicant_signed_at": NOW, "steward_signed_at": NOW, "steward": steward, "activated_at": NOW}


class After:
    """A command that needs another before it, which is not counted."""

    def __init__(self, first: Act, act: Callable[[Any], object]) -> None:
        self.first, self.act = first, act


def after(first: Act, act: Callable[[Any], object]) -> Any:
    """`act` on what `first` made."""
    return After(first, act)

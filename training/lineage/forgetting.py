"""Where words are, and taking them out of there. No rights are asked here: `training.lineage.erasing` does that.

What stays of an answer: its id, task, author's number, receipt, state and the times; of an account: its number. An
erased answer says nothing, and no hash of what it said is left anywhere: short sentences could be guessed from one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from datetime import datetime
from functools import partial
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop
from rest_framework.authtoken.models import Token

from annotation.answers.judging import ASKED
from annotation.answers.models import Answer, AnswerEvent, Gold, GoldOffer, Quotation, Review, Suggestion
from annotation.conflicts.models import Adjudication, Example, Remark
from annotation.projects.models import Assignment, Project
from annotation.revision.models import Batch, Inconsistency, Suspicion
from annotation.rewards.models import Player
from annotation.standing.models import StandingEvent
from care.agreements import close_agreement
from care.models import (
    AgeBand,
    Agreement,
    AgreementEvent,
    AgreementToken,
    Appeal,
    BrokenGlass,
    Commitment,
    ConflictDeclaration,
    HarmReport,
    Matter,
    Proposal,
    ProposalRemark,
    RenderingObjection,
    Vote,
)
from ledger.models import Entry
from people.models import Community, LanguageProfile, Person
from training.lineage.services import WORDS_ERASED, end_adapter
from training.mining.models import Reading
from training.playground.models import Generation
from training.playground.stream import forget
from training.releases.models import Download, DownloadNotice, Release, ReleaseItem
from training.releases.services import folder_of
from training.runs.additions import discard_made_of
from training.runs.beside import runs_on
from training.runs.models import Adapter, AdapterEvent, Run, RunEvent
from training.runs.services import LIVE, discard_learnt

# Where a row must give a reason, this stands for the one that was erased; translated where it is shown.
ERASED = gettext_noop("(erased)")


def forget_answers(answers: Collection[UUID], *, now: datetime) -> None:
    """Take the words of withdrawn answers out of every row and file that may hold them. The caller is a transaction."""
    rows = Answer.objects.filter(pk__in=answers, state=Answer.State.WITHDRAWN)
    gone = list(rows.values_list("pk", flat=True))
    Suggestion.objects.filter(begun__in=gone).update(text="", payload={})
    rows.update(text="", payload={}, warnings=[], bands=[], body_sha256="", suggestion=None)
    AnswerEvent.objects.filter(answer__in=gone).update(text="", payload={}, note="")
    _forget_what_was_said_of(gone)
    _forget_quotations(gone)
    reported = HarmReport.objects.filter(kind="answer", key__in=[str(pk) for pk in gone])
    reported.update(words="", quotation="")
    Reading.objects.filter(answer__in=gone).delete()
    Suspicion.objects.filter(answer__in=gone).delete()
    projects = Project.objects.filter(tasks__answers__in=gone).distinct()
    # A new scan finds them again, without these words.
    Inconsistency.objects.filter(project__in=projects).delete()
    for project in projects:
        tags = f"{project.source_language_tag}:{project.target_language_tag}"
        cache.delete_many([f"agreement:{project.pk}", f"profiles:{project.pk}:{tags}"])
    _forget_releases(gone, now)


def _forget_what_was_said_of(gone: Collection[UUID]) -> None:
    """What peers and experts wrote about an answer often quotes it."""
    Review.objects.filter(answer__in=gone).update(note="", body_sha256="")
    Review.objects.filter(fix__in=gone).update(body_sha256="")
    about = Adjudication.objects.filter(Q(answer__in=gone) | Q(rulings__answer__in=gone) | Q(correction__in=gone))
    decisions = Adjudication.objects.filter(pk__in=list(about.values_list("pk", flat=True)))
    Example.objects.filter(adjudication__in=decisions).delete()
    decisions.update(reason=ERASED)
    decisions.exclude(reopen_reason="").update(reopen_reason=ERASED)
    Remark.objects.filter(task__answers__in=gone).update(text=ERASED)
    Gold.objects.filter(answer__in=gone).delete()
    GoldOffer.objects.filter(answer__in=gone).delete()


def _forget_quotations(gone: Collection[UUID]) -> None:
    """Items that asked others about the words; their tasks were taken out when the words were withdrawn."""
    for quotation in Quotation.objects.filter(answer__in=gone).select_related("item"):
        item = quotation.item
        # What models wrote to a request goes with the answer to it.
        item.extra = {} if quotation.place == ASKED else {**item.extra, quotation.place: ""}
        item.text_sha256 = hashlib.sha256(f"erased:{item.pk}".encode()).hexdigest()
        item.save(update_fields=["extra", "text_sha256"])


def _forget_releases(gone: Collection[UUID], now: datetime) -> None:
    """Files of releases that hold the words, and all that runs learnt from these."""
    ReleaseItem.objects.filter(answer__in=gone).update(row_sha256="")
    held = Release.objects.filter(pk__in=ReleaseItem.objects.filter(answer__in=gone).values("release"))
    held.filter(withdrawn_since__isnull=True).update(withdrawn_since=now)
    for release in held.filter(erased_at__isnull=True):
        Release.objects.filter(pk=release.pk).update(erased_at=now)
        transaction.on_commit(partial(bury, release, now))
    discard_made_of(held, now=now)
    for run in Run.objects.filter(pk__in=runs_on(held)):
        adapter = Adapter.objects.filter(run=run).first()
        if adapter is not None:
            Adapter.objects.filter(pk=adapter.pk, withdrawn_since__isnull=True).update(withdrawn_since=now)
            end_adapter(adapter=adapter, note=WORDS_ERASED, now=now)
        elif run.state not in LIVE:  # one that is being stopped deletes its own when it has stopped
            transaction.on_commit(partial(discard_learnt, run))


def bury(release: Release, now: datetime) -> None:
    """Delete a release's files; what is left in the folder says what was there, and that it may not be used."""
    folder = folder_of(release)
    if not folder.is_dir():
        return
    shutil.rmtree(folder)
    folder.mkdir()
    told = {"release": release.number, "counts": release.counts, "erased_at": now.isoformat()}
    (folder / "ERASED.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def entries_about(answers: Collection[UUID]) -> list[Entry]:
    """The ledger's entries with something sealed about these answers."""
    subjects = [f"answer:{pk}" for pk in answers]
    about = Q(subject__in=subjects) | Q(secret__payload__subject__in=subjects)
    return list(Entry.objects.filter(about, secret__isnull=False))


def forget_person(person: Person) -> None:
    """Take a person's name and own words out of every row but their answers' (`forget_answers`)."""
    Review.objects.filter(reviewer=person).update(note="", body_sha256="")
    AnswerEvent.objects.filter(actor=person).update(note="")
    Assignment.objects.filter(person=person).update(skip_note="")
    Remark.objects.filter(author=person).update(text=ERASED)
    Adjudication.objects.filter(expert=person).update(reason=ERASED)
    Adjudication.objects.filter(reopened_by=person).update(reopen_reason=ERASED)
    Batch.objects.filter(expert=person).update(reason=ERASED)
    StandingEvent.objects.filter(Q(actor=person) | Q(standing__person=person)).update(reason=ERASED)
    Vote.objects.filter(Q(elector=person) | Q(cast_by=person)).update(reason="")
    ProposalRemark.objects.filter(author=person).update(text="")
    ConflictDeclaration.objects.filter(Q(person=person) | Q(declared_by=person)).update(nature="")
    Appeal.objects.filter(appealed_by=person).update(reason="")
    HarmReport.objects.filter(reporter=person).update(words="", quotation="")
    BrokenGlass.objects.filter(person=person).update(reason=ERASED)
    _forget_objections(person)
    _forget_agreements(person)
    RunEvent.objects.filter(actor=person).update(note="")
    AdapterEvent.objects.filter(actor=person).update(note="")
    forget([str(pk) for pk in Generation.objects.filter(person=person).values_list("pk", flat=True)])
    for owned in (Generation, Player, LanguageProfile, AgeBand, AgreementToken):
        owned._default_manager.filter(person=person).delete()
    _forget_account(person)


def _forget_objections(person: Person) -> None:
    """What the person found wrong with a rendering of a consent text, and what they answered to others."""
    RenderingObjection.objects.filter(objected_by=person).update(words=ERASED)
    RenderingObjection.objects.filter(answered_by=person).exclude(answer="").update(answer=ERASED)


def _forget_agreements(person: Person) -> None:
    """What the person asked a community for, promised it and told it; that access was given and when stays."""
    theirs = Agreement.objects.filter(applicant=person)
    blank = dict.fromkeys(
        ("organisation", "aim", "computing", "forbidden_words", "publication_words", "comes_back"), ""
    )
    subjects = [agreement.subject for agreement in theirs]
    # A proposal on a request quotes what is promised.
    Proposal.objects.filter(matter=Matter.AGREEMENT, subject__in=subjects).update(benefit="")
    AgreementEvent.objects.filter(agreement__in=theirs).update(note="")
    promised = Commitment.objects.filter(agreement__in=theirs)
    promised.exclude(evidence="").update(evidence=ERASED)
    promised.update(words=ERASED)
    answered = Q(answered_by=person) | Q(download__agreement__applicant=person) | Q(download__person=person)
    DownloadNotice.objects.filter(answered).update(words="")
    theirs.update(**blank)


def close_agreements(person: Person, community: Community, *, now: datetime) -> None:
    """End what the person asked the community for, and what is in force with them."""
    over = ("rejected", "expired", "revoked", "closed")
    theirs = Agreement.objects.filter(applicant=person, community=community)
    for agreement in theirs.exclude(state__in=over).order_by("pk"):
        close_agreement(agreement=agreement, closed_by=person, now=now)


def entries_on_agreements(person: Person) -> list[Entry]:
    """The ledger's entries with something sealed about what the person asked for, promised and downloaded, whoever
    wrote them."""
    theirs = Agreement.objects.filter(applicant=person).prefetch_related("commitments")
    subjects = [agreement.subject for agreement in theirs]
    subjects += [f"commitment:{row.pk}" for agreement in theirs for row in agreement.commitments.all()]
    subjects += [f"download:{key}" for key in Download.objects.filter(person=person).values_list("pk", flat=True)]
    return list(Entry.objects.filter(subject__in=subjects, secret__isnull=False))


def _forget_account(person: Person) -> None:
    """Name, password, sessions and keys; nobody can sign in with it any more."""
    LogEntry.objects.filter(Q(user=person) | Q(object_id=str(person.pk), content_type__model="person")).delete()
    EmailAddress.objects.filter(user=person).delete()
    Token.objects.filter(user=person).delete()
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()
    person.username = name_of_erased(person)
    person.display_name = person.first_name = person.last_name = person.email = ""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.set_unusable_password()
    person.save()


def name_of_erased(person: Person) -> str:
    """What an account is called when nothing else is left of it."""
    return f"erased-{person.pk}"


def communities_of(person: Person) -> list[Community]:
    """Where the person has agreed to something, has a role, or asked for access; in the order of their chains."""
    given = Q(receipts__person=person) | Q(memberships__person=person) | Q(agreements__applicant=person)
    return list(Community.objects.filter(given).distinct().order_by("slug"))

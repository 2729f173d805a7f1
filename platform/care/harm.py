"""Reports of harm: taking one in, which holds at once when it is severe, and what stewards make of it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from care import states
from care.elections import NotPossible
from care.models import HarmReport, Restriction, StewardNotice
from care.restricting import hold_at_once
from ledger.services import append_entry
from people.limits import count_act, count_visits
from people.models import Community, Person, Role
from people.refusals import Invalid, NotAllowed
from people.services import has_role, require_role
from people.tenants import every_community, widen

Category, Kind, State, Outcome = HarmReport.Category, Restriction.Kind, HarmReport.State, HarmReport.Outcome

SEVERE = frozenset({Category.SACRED, Category.CHILD, Category.THREAT, Category.MISUSE})
TRIAGE_OF_SEVERE = timedelta(hours=24)
TRIAGE = timedelta(hours=72)
# What may be reported. A whole community or project is not: anybody could stop it by a word.
REPORTABLE = frozenset({Kind.ITEM, Kind.ANSWER, Kind.SOURCE, Kind.ADAPTER, Kind.RELEASE})
LONGEST = 4000
MOST_PER_HOUR = 20
MOST_VISITS_PER_HOUR = 20
# Letters and digits that nobody takes for one another when reading them aloud: 31, so nearly 80 bits in 16 of them.
SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
ABOUT_DEATH = frozenset({Outcome.KEEP, Outcome.RESTRICT, Outcome.REMOVE})


@transaction.atomic
def report_harm(
    *,
    community: Community,
    kind: str,
    key: str,
    category: str,
    words: str,
    reporter: Person | None,
    now: datetime,
    quotation: str = "",
) -> tuple[HarmReport, str]:
    """Take a report in; returns it with the code by which its reporter finds it again, which is stored nowhere.

    A severe one hides its subject in the same transaction and keeps it from every use, and so does the word of a
    member that somebody has died. Without a reporter nothing of them is kept. Raises Invalid, NotAllowed, TooMany.
    """
    _check(community, kind, category, words, reporter)
    if reporter is None:
        count_visits(community, "report", most=MOST_VISITS_PER_HOUR, now=now)
    else:
        count_act(reporter, "report", most=MOST_PER_HOUR, now=now)
    is_about_death, is_severe = category == Category.DIED, category in SEVERE
    hold = None
    if is_severe or is_about_death:
        cause = Restriction.Cause.DECEASED if is_about_death else Restriction.Cause.HOLD
        note = str(Category(category).label)
        hold = hold_at_once(community=community, kind=kind, key=key, cause=cause, note=note, now=now)
    code = "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(4))
    report = HarmReport.objects.create(
        community=community,
        kind=kind,
        key=key,
        category=category,
        words=words.strip(),
        quotation=quotation[:LONGEST],
        reporter=reporter,
        code_sha256=_hash_of(code),
        is_severe=is_severe,
        state=states.after(states.HARM_REPORT, "", "report"),
        hold=hold,
        received_at=now,
        triage_due_at=now + (TRIAGE_OF_SEVERE if is_severe else TRIAGE),
        changed_at=now,
    )
    if hold is not None:
        tell_stewards(community=community, kind=StewardNotice.Kind.SEVERE, subject=f"report:{report.pk}", now=now)
    # Who reported is for the stewards alone, so the record names nobody.
    details = {"report": report.pk, "category": category, "held": hold is not None}
    append_entry(action="harm.reported", subject=f"{kind}:{key}", community=community.slug, now=now, details=details)
    return report, code


def _check(community: Community, kind: str, category: str, words: str, reporter: Person | None) -> None:
    if category not in Category.values:
        raise Invalid("Choose what is wrong with it.", field="category")
    if category == Category.DIED:
        if reporter is None or not has_role(reporter, community):
            raise NotAllowed("Only members can say this, for it hides somebody’s words from everybody.")
        if kind != Kind.PERSON:
            raise Invalid("Choose whose words they are.", field="category")
    elif kind not in REPORTABLE:
        raise Invalid("This cannot be reported.", field="category")
    if len(words) > LONGEST:
        raise Invalid("At most %(most)s letters.", field="words", most=LONGEST)
    if category in {Category.OTHER, Category.WRONG} and not words.strip():
        raise Invalid("Say in a few words what is wrong.", field="words")


def find_report(*, code: str) -> HarmReport | None:
    """The report with this code, as somebody typed it."""
    typed = "".join(sign for sign in code.lower() if sign in SIGNS)
    tidy = "-".join(typed[start : start + 4] for start in range(0, len(typed), 4))
    with every_community():
        report: HarmReport | None = HarmReport.objects.filter(code_sha256=_hash_of(tidy)).first()
    if report is not None:
        widen(report.community_id)
    return report


def _hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


@transaction.atomic
def triage(*, report: HarmReport, holds: bool, triaged_by: Person, now: datetime) -> HarmReport:
    """A steward has read the report: what it is about is held back (`holds`), or is not.

    What is held already stays held: letting go is `care.restricting.lift`. Raises NotAllowed, NotPossible.
    """
    report = _locked(report, triaged_by)
    _step(report, "triage")
    report.triaged_at = now
    if not holds and report.hold is not None and report.hold.lifted_at is None:
        raise NotPossible("This is held back already. Lifting that is a decision of your community.")
    _hold(report, now) if holds else _step(report, "let be")
    return _changed(report, "harm.triaged", triaged_by, now, held=holds)


@transaction.atomic
def hold_after_all(*, report: HarmReport, held_by: Person, now: datetime) -> HarmReport:
    """Hold back what was let be at first. Raises NotAllowed, NotPossible."""
    report = _locked(report, held_by)
    _hold(report, now)
    return _changed(report, "harm.held", held_by, now)


def _hold(report: HarmReport, now: datetime) -> None:
    _step(report, "hold")
    cause = Restriction.Cause.DECEASED if report.is_about_death else Restriction.Cause.HOLD
    note = str(report.get_category_display())
    report.hold = hold_at_once(
        community=report.community, kind=report.kind, key=report.key, cause=cause, note=note, now=now
    )


@transaction.atomic
def investigate(*, report: HarmReport, begun_by: Person, now: datetime) -> HarmReport:
    """A steward begins to look into it. Raises NotAllowed, NotPossible."""
    report = _locked(report, begun_by)
    _step(report, "investigate")
    return _changed(report, "harm.investigated", begun_by, now)


@transaction.atomic
def decide_report(*, report: HarmReport, outcome: str, answer: str, decided_by: Person, now: datetime) -> HarmReport:
    """Say what the report came to, with words to whoever reported it. Raises Invalid, NotAllowed, NotPossible."""
    report = _locked(report, decided_by)
    fitting = ABOUT_DEATH if report.is_about_death else frozenset(Outcome) - ABOUT_DEATH
    if outcome not in fitting:
        raise Invalid("Choose what the report came to.", field="outcome")
    if not answer.strip():
        raise Invalid("Write what the reporter will read.", field="answer")
    if outcome == Outcome.KEEP and report.hold is not None and report.hold.lifted_at is None:
        raise NotPossible("The words are held back. First your community decides to lift that.")
    _step(report, "decide")
    report.outcome, report.answer = outcome, answer.strip()[:2000]
    return _changed(report, "harm.decided", decided_by, now, outcome=outcome)


@transaction.atomic
def remedy(*, report: HarmReport, done: str, done_by: Person, now: datetime) -> HarmReport:
    """Say what was done about it. Raises Invalid, NotAllowed, NotPossible."""
    report = _locked(report, done_by)
    if not done.strip():
        raise Invalid("Say what was done, or that nothing had to be.", field="done")
    _step(report, "remedy")
    report.remedy = done.strip()[:2000]
    return _changed(report, "harm.remedied", done_by, now)


@transaction.atomic
def close_report(*, report: HarmReport, closed_by: Person, now: datetime) -> HarmReport:
    """Nothing is left to do. Raises NotAllowed, NotPossible."""
    report = _locked(report, closed_by)
    _step(report, "close")
    return _changed(report, "harm.closed", closed_by, now)


STEPS = ("hold", "let_be", "hold_after_all", "investigate", "decide", "remedy", "close")


def take_step(
    *,
    report: HarmReport,
    act: str,
    taken_by: Person,
    now: datetime,
    outcome: str = "",
    answer: str = "",
    done: str = "",
) -> HarmReport:
    """The one of `STEPS` that somebody chose, with what it asks for. Raises as that step does."""
    steps = {
        "hold": partial(triage, holds=True, triaged_by=taken_by),
        "let_be": partial(triage, holds=False, triaged_by=taken_by),
        "hold_after_all": partial(hold_after_all, held_by=taken_by),
        "investigate": partial(investigate, begun_by=taken_by),
        "decide": partial(decide_report, outcome=outcome, answer=answer, decided_by=taken_by),
        "remedy": partial(remedy, done=done, done_by=taken_by),
        "close": partial(close_report, closed_by=taken_by),
    }
    return steps[act](report=report, now=now)


@transaction.atomic
def mark_late(*, now: datetime) -> int:
    """Mark the reports that nobody has read in time, and tell the stewards of each once; returns how many."""
    late = list(HarmReport.objects.overdue(now).select_for_update(of=("self",)).select_related("community"))
    for report in late:
        report.late_since = report.triage_due_at
        report.save(update_fields=["late_since"])
        subject = f"report:{report.pk}"
        tell_stewards(community=report.community, kind=StewardNotice.Kind.LATE, subject=subject, now=now)
        details = {"report": report.pk}
        append_entry(action="harm.late", subject=subject, community=report.community.slug, now=now, details=details)
    return len(late)


def tell_stewards(*, community: Community, kind: str, subject: str, now: datetime) -> None:
    """Put a notice on the stewards' desk, once for each subject."""
    StewardNotice.objects.get_or_create(community=community, kind=kind, subject=subject, defaults={"at": now})


@transaction.atomic
def read_notice(*, notice: StewardNotice, read_by: Person, now: datetime) -> None:
    """A steward has read it; it leaves everybody's desk. Raises NotAllowed."""
    require_role(read_by, notice.community, Role.STEWARD)
    StewardNotice.objects.unread().filter(pk=notice.pk).update(read_at=now, read_by=read_by)


def _locked(report: HarmReport, steward: Person) -> HarmReport:
    rows = HarmReport.objects.select_for_update(of=("self",)).select_related("community", "hold")
    current: HarmReport = rows.get(pk=report.pk)
    require_role(steward, current.community, Role.STEWARD)
    return current


def _step(report: HarmReport, act: str) -> None:
    try:
        report.state = states.after(states.HARM_REPORT, report.state, act)
    except states.ImpossibleStep as error:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=report.get_state_display()) from error


def _changed(report: HarmReport, action: str, by: Person, now: datetime, **details: object) -> HarmReport:
    report.changed_by, report.changed_at = by, now
    report.save()
    append_entry(
        action=action,
        subject=f"report:{report.pk}",
        community=report.community.slug,
        actor=str(by.pk),
        now=now,
        details=details,
        private={"answer": report.answer, "remedy": report.remedy},
    )
    return report

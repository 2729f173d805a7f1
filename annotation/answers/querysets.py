"""Named sets of answers and reviews."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.functions import Coalesce

from annotation.answers.notes import ANOTHER_ACCEPTED
from annotation.kinds import KINDS
from annotation.standing.models import KeptApart, Standing
from care.eligibility import BEFORE_VALIDATION
from care.models import Grant, Policy, Purpose, Restriction
from people.models import Community
from people.querysets import suits

if TYPE_CHECKING:
    from people.models import Person


COMMUNITY = "task__project__community_id"


# What is asked for a purpose on nearly every page is put together once; whoever asks it further gets a copy.
@cache
def _grants_of_receipt(purpose: str) -> models.QuerySet[Grant]:
    live = Grant.objects.live().filter(receipt_id=models.OuterRef("receipt_id"), purpose=purpose)
    # The receipt itself is looked up as well: a grant alone proves nothing.
    return live.filter(receipt__given_at__isnull=False)


@cache
def _allowing(purpose: str) -> models.QuerySet[Policy]:
    return Policy.objects.allowing(purpose).filter(community=models.OuterRef(COMMUNITY))


@cache
def _restricted(purpose: str) -> models.QuerySet[Restriction]:
    """What keeps an answer of the outer query from the purpose: on itself, or on what it belongs to, and placed by its
    own community: somebody's words in another one are not its stewards' to stop."""
    ours = Restriction.objects.blocking(purpose).filter(community=models.OuterRef(COMMUNITY))
    return ours.on(
        answer=models.OuterRef("pk"),
        item=models.OuterRef("task__item_id"),
        source=models.OuterRef("task__item__source_id"),
        project=models.OuterRef("task__project_id"),
        community=models.OuterRef(COMMUNITY),
        person=models.OuterRef("author_id"),
    )


@cache
def _refused(others: type[models.Model], purpose: str) -> models.QuerySet[Any]:
    """Receipts of others whose words are in an answer, and who do not grant the purpose."""
    through = others._default_manager.filter(answer_id=models.OuterRef("pk"))
    return through.exclude(models.Exists(_grants_of_receipt(purpose)))


@cache
def _of_restricted(others: type[models.Model], purpose: str) -> models.QuerySet[Any]:
    """Receipts of others whose words are in an answer, and may not be used."""
    theirs = Restriction.objects.blocking(purpose).filter(community=models.OuterRef("receipt__community_id"))
    theirs = theirs.on(person=models.OuterRef("receipt__person_id"))
    through = others._default_manager.filter(answer_id=models.OuterRef("pk"))
    return through.filter(models.Exists(theirs))


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Chainable selections of answers."""

    def visible_to(self, person: Person) -> AnswerQuerySet:
        """One's own answers; and in one's communities those not withdrawn whose authors, and the community, let members
        read them."""
        mine = models.Q(author_id=person.pk)
        ours = models.Q(task__project__community__in=Community.objects.visible_to(person))
        hidden = models.Q(state__in=["withdrawn", "quarantined"]) | models.Exists(_restricted(Purpose.DISPLAY_MEMBERS))
        shown = models.Exists(_grants_of_receipt(Purpose.DISPLAY_MEMBERS))
        allowed = models.Exists(_allowing(Purpose.DISPLAY_MEMBERS))
        return self.filter(mine | (ours & ~hidden & models.Q(shown) & models.Q(allowed)))

    def of_community(self, community: Community) -> AnswerQuerySet:
        """Answers given in one community."""
        return self.filter(task__project__community=community)

    def validated(self) -> AnswerQuerySet:
        """Answers that peers or an expert accepted."""
        return self.filter(state="validated")

    def usable_for(self, purpose: str, *, if_allowed: bool = False) -> AnswerQuerySet:
        """Answers for which the author, and everybody whose words are in them, grants the purpose, the community's
        policy offers it by a decision that stands, and neither a label nor a hold on them or on what they belong to is
        against it.

        It is `care.eligibility.refusal` as a query, but for the answer's own state. `if_allowed` asks what could be
        used if the community's policy allowed it: what that stops it may give back.
        """
        others = self.model.built_on.through
        against = (
            models.Exists(_refused(others, purpose))
            | models.Exists(_restricted(purpose))
            | models.Exists(_of_restricted(others, purpose))
        )
        given = self.filter(models.Exists(_grants_of_receipt(purpose))).exclude(against)
        return given if if_allowed else given.filter(models.Exists(_allowing(purpose)))

    def eligible_for(self, purpose: str, *, counter_examples: bool = False, if_allowed: bool = False) -> AnswerQuerySet:
        """Answers that may be used for the purpose now: usable, not taken back, and validated unless it is to see and
        check them. Whoever asks for `counter_examples` gets these too; `if_allowed` as in `usable_for`."""
        living = self.usable_for(purpose, if_allowed=if_allowed).exclude(state__in=["withdrawn", "quarantined"])
        if purpose in BEFORE_VALIDATION:
            return living
        return living.filter(models.Q(state="validated") | self._teaching()) if counter_examples else living.validated()

    def counter_examples(self) -> AnswerQuerySet:
        """Answers that peers or an expert turned down for what they say: never as offensive or for personal data, nor
        only to make room for another one."""
        return self.filter(self._teaching())

    def _teaching(self) -> models.Q:
        said: ReviewQuerySet = self.model.reviews.rel.related_model.objects.filter(answer_id=models.OuterRef("pk"))
        harmful = models.Exists(said.harmful() | said.filter(appropriate=False))
        events = self.model.events.rel.related_model.objects.filter(answer_id=models.OuterRef("pk"))
        made_room = models.Exists(events.filter(note=ANOTHER_ACCEPTED))
        return models.Q(state="rejected") & ~models.Q(harmful) & ~models.Q(made_room)

    def disputed(self) -> AnswerQuerySet:
        """The experts' queue: answers that peers could not settle, or somebody asked about."""
        return self.filter(state="disputed")

    def adjudicable_by(self, person: Person) -> AnswerQuerySet:
        """Disputed answers in communities where the person is an expert; none to a task they answered themselves."""
        communities = Community.objects.where(person, "expert")
        return self.disputed().visible_to(person).filter(task__project__community__in=communities).not_touching(person)

    def not_touching(self, person: Person) -> AnswerQuerySet:
        """Answers to tasks to which the person has no answer of their own that still counts."""
        gone = ["rejected", "withdrawn", "quarantined"]
        mine = person.answers.filter(task_id=models.OuterRef("task_id")).exclude(state__in=gone)
        return self.exclude(author_id=person.pk).exclude(models.Exists(mine))

    def gold(self) -> AnswerQuerySet:
        """Settled answers whose outcome an expert has decided or confirmed. A decision that was opened again, or only
        sent words back, is none; nor does one on another answer make those gold that it overruled."""
        final = self.model.adjudications.rel.related_model.objects.final()
        decided = final.filter(
            models.Q(answer_id=models.OuterRef("pk"))
            | models.Q(rulings__answer_id=models.OuterRef("pk"), rulings__after="validated")
        )
        confirmed = self.model.gold.related.related_model.objects.filter(answer_id=models.OuterRef("pk"))
        by_expert = models.Exists(decided) | models.Exists(confirmed)
        return self.filter(by_expert, state__in=["validated", "rejected"])

    def gold_for(self, person: Person) -> AnswerQuerySet:
        """Gold that the person neither wrote, judged, decided nor confirmed."""
        judged = models.Exists(person.reviews.filter(answer_id=models.OuterRef("pk")))
        wrote = models.Exists(person.answers.filter(task_id=models.OuterRef("task_id")))
        decided = models.Q(adjudications__expert_id=person.pk) | models.Q(rulings__adjudication__expert_id=person.pk)
        known = self.filter(decided | models.Q(gold__expert_id=person.pk))
        return self.gold().exclude(judged).exclude(wrote).exclude(pk__in=known.values("pk"))

    def confirmable_by(self, person: Person) -> AnswerQuerySet:
        """What peers have settled and an expert may use as gold: not their own, and not turned down for a rival."""
        made_room = models.Q(state="rejected", events__note=ANOTHER_ACCEPTED)
        reviewed = [slug for slug, kind in KINDS.items() if kind.is_reviewed]
        settled = self.filter(state__in=["validated", "rejected"], task__project__kind__in=reviewed)
        settled = settled.exclude(author_id=person.pk)
        return settled.exclude(made_room).exclude(pk__in=self.model._default_manager.gold().values("pk"))

    def as_seen_by(self, person: Person) -> AnswerQuerySet:
        """Adds `might_come_as_gold`: what the person may still be asked about, so its outcome is kept from them."""
        asked = models.Q(task__project__community__in=Community.objects.where(person, "speaker", "expert"))
        gold = self.model._default_manager.filter(asked).gold_for(person)
        return self.annotate(might_come_as_gold=models.Exists(gold.filter(pk=models.OuterRef("pk"))))

    def with_votes(self) -> AnswerQuerySet:
        """Adds `asked`: how many peers have given a verdict on the present version that counts."""
        votes = self._counting().values("answer").annotate(number=models.Count("pk")).values("number")
        return self.annotate(asked=Coalesce(models.Subquery(votes.order_by()), 0))

    def begun(self) -> AnswerQuerySet:
        """Answers on which a peer has given a verdict that counts."""
        return self.filter(models.Exists(self._counting()))

    def reviewable_by(self, person: Person, now: datetime) -> AnswerQuerySet:
        """Answers waiting for a verdict that this person may give now.

        Not their own, current version not yet judged by them, not on a task to which they wrote or corrected an
        answer themselves. Whoever has not shown care gives first votes, until an answer has waited for a day.
        """
        judged = models.Exists(
            person.reviews.filter(answer_id=models.OuterRef("pk"), version=models.OuterRef("version"))
        )
        wrote = models.Exists(person.answers.filter(task_id=models.OuterRef("task_id")))
        suitable = suits(person, project="task__project__", variety_of_text="task__item__source__variety")
        waiting = self.filter(suitable, state="submitted").exclude(author_id=person.pk).exclude(judged).exclude(wrote)
        return waiting._let_through_by_the_guard(person, now)

    def _let_through_by_the_guard(self, person: Person, now: datetime) -> AnswerQuerySet:
        here = {"community_id": models.OuterRef("task__project__community_id")}
        unguarded = models.Q(task__project__rule__guard=False)
        frozen = models.Exists(person.standings.filter(**here, is_frozen=True))
        stopped = models.Exists(person.standings.filter(**here, is_stopped=True))
        apart = models.Exists(
            KeptApart.objects.filter(**here, reviewer_id=person.pk, author_id=models.OuterRef("author_id"))
        )
        rows = self.filter(~frozen).filter(unguarded | ~models.Q(stopped | apart))
        for community, hours in Standing.objects.where_to_wait(person).items():
            elsewhere = ~models.Q(task__project__community_id=community)
            has_waited = models.Q(changed_at__lte=now - timedelta(hours=hours))
            rows = rows.filter(unguarded | elsewhere | has_waited | ~models.Exists(self._counting()))
        return rows

    def _counting(self) -> ReviewQuerySet:
        """For each answer, the verdicts on its present version that count."""
        reviews: ReviewQuerySet = self.model.reviews.rel.related_model.objects.all()
        return reviews.counting().filter(answer_id=models.OuterRef("pk"), version=models.OuterRef("version"))


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    """Chainable selections of what machines propose."""

    def shown(self) -> SuggestionQuerySet:
        """All but those of an adapter that is hidden now."""
        ours = Restriction.objects.blocking(Purpose.DISPLAY_MEMBERS).filter(
            community=models.OuterRef("task__project__community_id")
        )
        return self.exclude(models.Exists(ours.on(adapter=models.OuterRef("adapter"))))


class ReviewQuerySet(models.QuerySet["Review"]):
    """Chainable selections of reviews."""

    def visible_to(self, person: Person) -> ReviewQuerySet:
        """Reviews in communities in which the person holds a role."""
        return self.filter(answer__task__project__community__in=Community.objects.visible_to(person))

    def counting(self) -> ReviewQuerySet:
        """Verdicts that count: every reader of votes starts from here.

        Verdicts on gold count nowhere; nor do those of people who have shown carelessness, or between two who are
        kept apart, where the project's guard is on. A freeze silences its person on all that is not settled yet.
        """
        community = models.OuterRef("answer__task__project__community_id")
        standing = Standing.objects.filter(community_id=community, person_id=models.OuterRef("reviewer_id"))
        apart = KeptApart.objects.filter(
            community_id=community,
            reviewer_id=models.OuterRef("reviewer_id"),
            author_id=models.OuterRef("author_id_of_answer"),
        )
        unguarded = models.Q(answer__task__project__rule__guard=False)
        open_ones = models.Q(answer__state__in=["submitted", "disputed", "returned"])
        heard = self.filter(is_gold=False).filter(~open_ones | ~models.Exists(standing.filter(is_frozen=True)))
        return heard.filter(unguarded | (~models.Exists(standing.filter(is_stopped=True)) & ~models.Exists(apart)))

    def as_read(self) -> ReviewQuerySet:
        """Adds `is_hushed`: whether its reviewer's words are hidden, as of somebody who died; the verdict counts."""
        ours = Restriction.objects.blocking(Purpose.DISPLAY_MEMBERS).filter(
            community=models.OuterRef("answer__task__project__community_id")
        )
        return self.annotate(is_hushed=models.Exists(ours.on(person=models.OuterRef("reviewer_id"))))

    def harmful(self) -> ReviewQuerySet:
        """Verdicts that turn an answer down as offensive, or for personal data in it."""
        return self.filter(verdict="reject", reason__in=["offensive", "personal_data"])

    def decisive_on(self, version: int) -> ReviewQuerySet:
        """Verdicts that count for one version, in the order they came."""
        return self.counting().filter(version=version).order_by("created_at", "pk")

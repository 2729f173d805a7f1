"""What people said of answers, for a release that holds it: votes, how far they can be trusted, and experts' words.

`training.recipes.judged` says what a line means. A vote goes in only under the receipt that was in force when it was
given, and only while that receipt allows the release's purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation.aggregation.skill import Tally, estimate_skill
from annotation.answers.judging import COMPARE
from annotation.answers.models import Answer, Gold, Review
from annotation.conflicts.models import Adjudication, Ruling
from annotation.kinds import KINDS
from annotation.kinds.contract import Asked
from annotation.projects.models import Project
from annotation.standing.models import Standing
from care.models import Receipt
from training.releases.pseudonyms import seal_of, voters_pseudonym
from training.releases.querysets import receipts_for
from training.releases.writing import Judged

VERDICTS = {Review.Verdict.APPROVE: True, Review.Verdict.REJECT: False, Review.Verdict.FIX: False}
# How a wording is asked for where a project only compares: as in the kind that answers what is asked.
ANSWERING = KINDS["respond"].lesson


@dataclass(frozen=True)
class Voice:
    """One vote: whose, whether they took the answer as it is, and the receipt it stands under."""

    person: int
    is_good: bool
    receipt: str


@dataclass
class Heard:
    """What was said of answers, by their ids, and may be used; and how likely each voter is right."""

    voices: dict[str, list[Voice]]
    decided: frozenset[str]
    """Answers on which an expert's word stands."""
    skills: Mapping[int, float]

    def turns_down(self, answer: Answer) -> bool:
        """Whether somebody who may be heard turned it down. One whose critics are silent is no counter-example."""
        if answer.task.project.task_kind.lesson is None:
            return bool(answer.task.project.kind == COMPARE)
        key = str(answer.pk)
        return key in self.decided or any(not voice.is_good for voice in self.voices.get(key, ()))


def hear(project: Project, purpose: str) -> Heard:
    """What was said of the project's answers in their present version, as far as it may be used for the purpose.

    It says nothing of what the answers may be used for, and gives no words.
    """
    receipts: dict[int, list[Receipt]] = defaultdict(list)
    for receipt in Receipt.objects.filter(community=project.community_id).order_by("given_at", "pk"):
        receipts[receipt.person_id].append(receipt)
    allowed = set(receipts_for(purpose).filter(community=project.community_id).values_list("pk", flat=True))
    voices: dict[str, list[Voice]] = defaultdict(list)
    reviews = Review.objects.filter(answer__task__project=project, verdict__in=VERDICTS).counting()
    for review in reviews.select_related("answer").order_by("created_at", "pk"):
        under = _in_force(receipts[review.reviewer_id], review.created_at)
        if review.version == review.answer.version and under is not None and under.pk in allowed:
            good = VERDICTS[Review.Verdict(review.verdict)]
            voices[str(review.answer_id)].append(Voice(review.reviewer_id, good, str(under.pk)))
    return Heard(voices, _decided(project), skills_in(project))


def _in_force(receipts: Sequence[Receipt], at: datetime) -> Receipt | None:
    """The receipt that somebody held at that moment, of theirs in the order they were given."""
    return next((receipt for receipt in reversed(receipts) if receipt.given_at <= at), None)


def _decided(project: Project) -> frozenset[str]:
    """Answers that an expert accepted, turned down, corrected or confirmed; not those that only made room."""
    final = Adjudication.objects.final().filter(answer__task__project=project)
    ruled = Ruling.objects.filter(adjudication__in=final)
    confirmed = Gold.objects.filter(answer__task__project=project)
    named = {*final.values_list("answer", "correction"), *ruled.values_list("answer"), *confirmed.values_list("answer")}
    return frozenset(str(pk) for row in named for pk in row if pk)


def skills_in(project: Project) -> Mapping[int, float]:
    """The chance that a member's vote is right, to two places; of whoever has shown nothing yet, the prior's."""
    skills: dict[int, float] = defaultdict(lambda: round(estimate_skill(Tally()).mean, 2))
    for standing in Standing.objects.filter(community=project.community_id):
        if standing.skill is not None:
            skills[standing.person_id] = round(standing.skill.mean, 2)
    return skills


def judge(
    project: Project,
    heard: Heard,
    answers: Mapping[str, Answer],
    rows: Sequence[Mapping[str, Any]],
) -> Judged:
    """The lines of a release that holds these rows of these answers."""
    bad = frozenset(name for name, answer in answers.items() if answer.state == Answer.State.REJECTED)
    if project.kind == COMPARE:
        return Judged(_compared(project, heard, answers, rows), bad)
    lines, receipts = [], {}
    for row in rows:
        name = row["id"]
        voices, is_decided = heard.voices.get(name, []), name in heard.decided
        if "lesson" not in row or not (voices or is_decided):
            continue
        lines.append(
            {
                "id": name,
                "group": str(answers[name].task_id),
                "lesson": row["lesson"],
                "decided": name not in bad if is_decided else None,
                "votes": _votes(project, heard, "good", [(voice.person, voice.is_good) for voice in voices]),
            }
        )
        receipts[name] = sorted({voice.receipt for voice in voices})
    seals = {name: sorted(seal_of(receipt) for receipt in some) for name, some in receipts.items()}
    return Judged(lines, bad, receipts, seals)


def _compared(
    project: Project, heard: Heard, answers: Mapping[str, Answer], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A line for each two wordings on which somebody has a choice; it goes where the first of its choices goes, by id.
    The choices are answers themselves, with receipts of their own."""
    by_task: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["choice"] in ("a", "b"):
            by_task[answers[row["id"]].task_id].append(row)
    lines = []
    for chosen in by_task.values():
        first = min(chosen, key=lambda row: str(row["id"]))
        asked = Asked(text=first["prompt"])
        lesson = {"system": ANSWERING.system, "request": ANSWERING.request(asked)} if ANSWERING else {}
        votes = [(answers[row["id"]].author_id, row["choice"] == "a") for row in chosen]
        lines.append(
            {
                "id": first["id"],
                "lesson": lesson,
                "options": [first["option_a"], first["option_b"]],
                "votes": _votes(project, heard, "first", votes),
            }
        )
    return lines


def _votes(project: Project, heard: Heard, said: str, voices: Sequence[tuple[int, bool]]) -> list[dict[str, Any]]:
    votes = [
        {"by": voters_pseudonym(person, project.community), said: yes, "skill": heard.skills[person]}
        for person, yes in voices
    ]
    return sorted(votes, key=lambda vote: (vote["by"], vote[said]))

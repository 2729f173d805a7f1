"""Everything that was made from some answers, or with votes on some: one recursive question to the database.

Edges, each from what something was made of to what was made:

    answer -> answer        a correction of it; a judgement of it (an item quotes it); what an expert put together of it
    answer -> release       the release holds it
    receipt -> release      the release holds votes that were given under it
    release -> run -> adapter
    adapter -> suggestion   it proposed an answer to a task
    suggestion -> answer    somebody began with it
    adapter -> generation   it answered somebody in the playground
    adapter -> export       it was made into a file to be taken out
    run -> addition         its adapter made rows that others may learn from, or a base has more tokens of its words
    addition -> run         one that learnt from it
    adapter -> probe        it read a project's sentences, or was compared
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from care.models import Receipt
from people.models import Community, Person
from training.releases.services import answers_with_words_of

ANSWER, RECEIPT = "answer", "receipt"
# Nothing is made of what was made later, so the walk ends by itself; the limit is for a database that was damaged.
DEEPEST = 64
# Each selects kind, uid and number of what was made of the row `t`. Answers, receipts and generations have a uid,
# others numbers.
EDGES = (
    "SELECT 'answer', a.id, NULL::bigint FROM answers_answer a WHERE t.kind = 'answer' AND a.fixes_id = t.uid",
    """SELECT 'answer', a.id, NULL FROM answers_quotation q
       JOIN projects_task k ON k.item_id = q.item_id JOIN answers_answer a ON a.task_id = k.id
       WHERE t.kind = 'answer' AND q.answer_id = t.uid""",
    """SELECT 'answer', d.correction_id, NULL FROM conflicts_ruling r
       JOIN conflicts_adjudication d ON d.id = r.adjudication_id
       JOIN answers_answer a ON a.id = r.answer_id
       JOIN answers_answer_built_on b ON b.answer_id = d.correction_id AND b.receipt_id = a.receipt_id
       WHERE t.kind = 'answer' AND r.answer_id = t.uid AND d.correction_id <> t.uid""",
    "SELECT 'release', NULL, i.release_id FROM releases_releaseitem i WHERE t.kind = 'answer' AND i.answer_id = t.uid",
    """SELECT 'release', NULL, i.release_id FROM releases_releaseitem_voters v
       JOIN releases_releaseitem i ON i.id = v.releaseitem_id
       WHERE t.kind = 'receipt' AND v.receipt_id = t.uid""",
    "SELECT 'run', NULL, r.id FROM runs_run r WHERE t.kind = 'release' AND r.release_id = t.number",
    "SELECT 'adapter', NULL, a.id FROM runs_adapter a WHERE t.kind = 'run' AND a.run_id = t.number",
    """SELECT 'suggestion', NULL, s.id FROM runs_adapter a
       JOIN runs_run r ON r.id = a.run_id JOIN releases_release l ON l.id = r.release_id
       JOIN projects_project p ON p.id = l.project_id
       JOIN projects_task k ON k.project_id = p.id JOIN answers_suggestion s ON s.task_id = k.id
       WHERE t.kind = 'adapter' AND a.id = t.number AND s.made_by = left(p.title, 60) || ', run ' || r.number""",
    "SELECT 'answer', a.id, NULL FROM answers_answer a WHERE t.kind = 'suggestion' AND a.suggestion_id = t.number",
    """SELECT 'generation', g.id, NULL FROM playground_generation g
       WHERE t.kind = 'adapter' AND (g.adapter_id = t.number OR g.beside_id = t.number)""",
    "SELECT 'export', NULL, x.id FROM exports_export x WHERE t.kind = 'adapter' AND x.adapter_id = t.number",
    "SELECT 'addition', NULL, o.id FROM runs_addition o WHERE t.kind = 'run' AND o.made_by_id = t.number",
    """SELECT 'run', NULL, u.run_id FROM runs_run_additions u
       WHERE t.kind = 'addition' AND u.addition_id = t.number""",
    """SELECT 'probe', NULL, m.id FROM mining_probe m
       WHERE t.kind = 'adapter' AND (m.adapter_id = t.number OR m.rival_id = t.number)""",
)
# One row for each thing and depth: ways that meet again are walked once, and the first way to a thing is kept.
TAINT = """
WITH RECURSIVE taint (kind, uid, number, depth, path) AS (
    SELECT r.kind, r.root, NULL::bigint, 0, ARRAY[r.kind || ':' || r.root]
    FROM unnest(%s::text[], %s::uuid[]) AS r (kind, root)
    UNION ALL
    SELECT * FROM (
        SELECT DISTINCT ON (e.kind, e.uid, e.number)
            e.kind, e.uid, e.number, t.depth + 1,
            t.path || (e.kind || ':' || coalesce(e.uid::text, e.number::text))
        FROM taint t CROSS JOIN LATERAL ({edges}) AS e (kind, uid, number)
        WHERE t.depth < {deepest}
    ) AS further
)
SELECT DISTINCT ON (kind, uid, number) kind, coalesce(uid::text, number::text), depth, path
FROM taint ORDER BY kind, uid, number, depth
"""
WORDS = EDGES[:3]


@dataclass(frozen=True)
class Tainted:
    """One thing that was made from the answers, or from votes under the receipts; `path` leads from one of them to it,
    both included."""

    kind: str
    key: str
    depth: int
    path: tuple[str, ...]


def taint_of(answers: Iterable[UUID], *, receipts: Iterable[UUID] = (), edges: Sequence[str] = EDGES) -> list[Tainted]:
    """Everything that was made from these answers, and from votes under these receipts, by a shortest way each, the
    answers and receipts themselves included.

    With `edges=WORDS` only answers that hold words of theirs, or say something of them.
    """
    question = TAINT.format(edges=" UNION ALL ".join(edges), deepest=DEEPEST)
    with connection.cursor() as cursor:
        roots = [*((ANSWER, pk) for pk in answers), *((RECEIPT, pk) for pk in receipts)]
        cursor.execute(question, [[kind for kind, _ in roots], [pk for _, pk in roots]])
        return [Tainted(kind, key, depth, tuple(path)) for kind, key, depth, path in cursor.fetchall()]


def taint_of_person(person: Person, community: Community) -> list[Tainted]:
    """The same for everything with words of a person in a community, and for the votes of theirs that releases hold."""
    voted = Receipt.objects.filter(person=person, community=community, votes_in__isnull=False).distinct()
    words = answers_with_words_of(person, community)
    return taint_of(words.values_list("pk", flat=True), receipts=voted.values_list("pk", flat=True))

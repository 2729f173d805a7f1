"""A community with at least one of everything that has an address."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.projects.services import lease_task, open_project
from annotation.revision.models import Batch, Inconsistency
from care.agreements import begin_agreement, save_terms, submit_agreement
from care.glass import break_glass, end_glass
from care.harm import report_harm
from care.hub import follow_project
from care.models import AgeBand, Agreement, HubProject, Proposal, StewardNotice
from care.restricting import put_label
from people.models import Community, CommunityFont, Person, Role
from people.services import invite
from tests.care.agreeing import TERMS, promised
from tests.conftest import NOW, make_person
from tests.frontend.made import make_adapter, make_release, make_run
from tests.runs.adding import uploaded
from training.exports.models import Export
from training.mining.models import Trial
from training.mining.services import ask_for_probe
from training.playground.services import request_generation
from training.releases.models import Release
from training.runs.grids import plan_of, start_grid
from training.runs.models import Grid


@pytest.fixture(autouse=True)
def _nothing_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens here, and the packaged corpus has thousands of lines."""
    views = "frontend.researcher.views"
    for place in (
        "training.runs.api",
        "training.runs.additions_api",
        "training.playground.api",
        f"{views}.runs",
        f"{views}.mining",
        f"{views}.exports",
        f"{views}.additions",
    ):
        monkeypatch.setattr(f"{place}.ring", lambda row: None)
    for name in ("ring", "ring_explaining"):
        monkeypatch.setattr(f"frontend.public.playground.{name}", lambda row: None)
    monkeypatch.setattr("training.playground.api.ring_explaining", lambda row: None)
    for place in ("training.runs.grid_api", f"{views}.grids"):
        monkeypatch.setattr(f"{place}.ring_grid", lambda grid: None)
    for place in ("frontend.researcher.views.runs", "frontend.steward.views.gate"):
        monkeypatch.setattr(f"{place}.ring_reading", lambda row: None)
    monkeypatch.setattr("frontend.expert.views.consistency.ring", lambda row: None)
    for place in ("frontend.steward.views.corpus", "annotation.corpora.api"):
        monkeypatch.setattr(f"{place}.read_tsunkua", lambda: [])


@pytest.fixture
def furnished(
    community: Community,
    validated_corpus: list[Answer],
    aroha: Person,
    ben: Person,
    filipa: Person,
    goran: Person,
    chen: Person,
    esi: Person,
    consenting: Callable[..., Any],
    verdict: Callable[..., Any],
) -> SimpleNamespace:
    """The community, its rows by what they are, and `arguments` for the addresses."""
    first = validated_corpus[0].task.project
    release = make_release(first, esi)
    run = make_run(release, esi)
    adapter = make_adapter(run, approved_by=aroha)
    second = open_project(
        community=community,
        created_by=aroha,
        sources=list(community.sources.all()),
        now=NOW,
        title="Second project",
        source_language_name="Spanish",
        source_language_tag="es",
    )
    disputed = _disputed(second, ben, [filipa, goran, chen], verdict, consenting)
    rows = SimpleNamespace(
        **{"community": community, "project": second},
        answer=validated_corpus[0],
        disputed=disputed,
        assignment=lease_task(project=second, person=filipa, now=NOW),
        release=release,
        run=run,
        adapter=adapter,
        probe=ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW),
        export=Export.objects.create(adapter=adapter, form="adapter", asked_by=esi, asked_at=NOW),
        generation=request_generation(adapter=adapter, person=ben, source="una frase", now=NOW),
        policy=community.policies.get(),
        receipt=validated_corpus[0].receipt,
        source=community.sources.first(),
        record=community.imports.get(),
        membership=community.memberships.get(person=ben),
        font=CommunityFont.objects.create(
            community=community, name="Made up", licence="CC0", content=b"", sha256="1" * 64, set_at=NOW
        ),
        proposal=Proposal.objects.filter(community=community).first(),
        picture=community.pictures.create(sha256="0" * 64, content=b"", width=1, height=1, created_at=NOW),
        standing=ben.standings.get_or_create(community=community)[0],
        inconsistency=Inconsistency.objects.create(
            project=second, cause="same_text", key="0" * 64, surface="una frase", entropy=1, estimate=1
        ),
        restriction=put_label(community=community, kind="source", key="0", code="tka", placed_by=aroha, now=NOW),
        batch=Batch.objects.create(project=second, expert=chen, surface="una frase", reason="A reason.", made_at=NOW),
    )
    _governed(rows, aroha, esi)
    invite(community=community, role=Role.SPEAKER, invited_by=aroha, now=NOW)
    rows.arguments = arguments_of(rows)
    return rows


def _grid(release: Release, researcher: Person) -> Grid:
    """Three runs that wait."""
    plan = plan_of(methods=["lora"], ranks=[4], budgets=["50%"], seeds=3, given={})
    return start_grid(release=release, plan=plan, started_by=researcher, now=NOW)


def _governed(rows: SimpleNamespace, steward: Person, young: Person) -> None:
    """What stewards look after beside the words, a grid and a trial."""
    about = {"community": rows.community, "of": rows.project, "opened_by": young, "opened_at": NOW}
    rows.trial = Trial.objects.create(project=rows.project, **about)
    rows.grid = _grid(rows.release, young)
    rows.addition = uploaded(rows.community, young, title="ñä ʼñ")
    rows.hub_project = _followed(rows.community, steward)
    rows.agreement = _agreement(rows.community, steward)
    _responsibility(rows, young)


def _followed(community: Community, steward: Person) -> HubProject:
    """A project of the Local Contexts Hub that a steward follows."""
    everything = {"kind": "community", "key": str(community.pk)}
    return follow_project(community=community, hub_id="6" * 32, **everything, followed_by=steward, now=NOW)


def _agreement(community: Community, steward: Person) -> Agreement:
    """A request from outside that waits for the community."""
    rua = make_person("rua")
    made = begin_agreement(community=community, applicant=rua, begun_by=steward, now=NOW)
    made = save_terms(agreement=made, saved_by=rua, now=NOW, **TERMS)
    promised(made)
    return submit_agreement(agreement=made, submitted_by=rua, now=NOW)


def _responsibility(rows: SimpleNamespace, young: Person) -> None:
    """A report, a look of the platform's staff, and somebody under age."""
    _report(rows)
    _broken_glass(rows)
    said = {"band": "young", "of_age_in": "2031-04", "stated_at": NOW}
    rows.band = AgeBand.objects.create(person=young, community=rows.community, **said)


def _report(rows: SimpleNamespace) -> None:
    """A severe report, and the notice that comes with it."""
    about = {"kind": "item", "key": "0", "category": "threat", "words": "", "reporter": None}
    rows.report, _code = report_harm(community=rows.community, now=NOW, **about)
    rows.notice = StewardNotice.objects.get(subject=f"report:{rows.report.pk}")


def _broken_glass(rows: SimpleNamespace) -> None:
    """Somebody of the platform's staff, who looked in once and can no more."""
    rows.operator = Person.objects.create_user("operator", is_staff=True, is_superuser=True)
    about = {"community": rows.community, "person": rows.operator, "reason": "A court asks for it."}
    rows.glass = break_glass(hours=1, now=NOW, **about)
    end_glass(glass=rows.glass, ended_by=rows.operator, now=NOW)


def _disputed(project: Any, author: Person, readers: list[Person], verdict: Any, consenting: Any) -> Answer:
    """An answer that three peers could not settle."""
    consenting(readers[-1])
    lease = lease_task(project=project, person=author, now=NOW)
    answer = submit_answer(assignment=lease, author=author, client_id=uuid4(), now=NOW, text="traducción disputada")
    for reader in readers:
        answer.refresh_from_db()
        verdict(answer, reader, "unsure")
    answer.refresh_from_db()
    assert answer.state == Answer.State.DISPUTED
    return answer


# Of other people's apps: accounts and administration.
OF_OTHERS = {
    "key": "nobody-made-this-key",
    "uidb36": "1",
    "object_id": "1",
    "content_type_id": "1",
    "app_label": "auth",
    "url": "nothing",
}


def arguments_of(rows: SimpleNamespace) -> dict[str, Any]:
    """What goes into an address, by the segment before it (`runs/<pk>`), or by its own name."""
    return {
        "c": rows.community.slug,
        "communities": rows.community.slug,
        "erase": rows.community.slug,
        "work": rows.project.pk,
        "take": rows.project.pk,
        "packet": rows.project.pk,
        "new": "translate",
        "review": rows.project.pk,
        "projects": rows.project.pk,
        "guidelines": rows.project.pk,
        "agreement": rows.project.pk,
        "agreements": rows.agreement.pk,
        "part": "who",
        "next-review": rows.project.pk,
        "font": rows.font.sha256,
        "picture": rows.picture.sha256,
        "pictures": rows.picture.sha256,
        "skip": rows.assignment.pk,
        "assignments": rows.assignment.pk,
        "words": rows.answer.pk,
        "answers": rows.answer.pk,
        "decide": rows.disputed.pk,
        "groups": rows.inconsistency.pk,
        "batches": rows.batch.pk,
        "suspects": rows.project.pk,
        "disputes": rows.disputed.pk,
        "proposals": rows.proposal.pk,
        "decisions": rows.proposal.decisions.get().pk,
        "releases": rows.release.pk,
        "runs": rows.run.pk,
        "additions": rows.addition.pk,
        "grids": rows.grid.pk,
        "adapters": rows.adapter.pk,
        "hard": rows.probe.pk,
        "trials": rows.trial.pk,
        "order": rows.project.pk,
        "files": rows.export.pk,
        "holds": rows.restriction.pk,
        "hub": rows.hub_project.pk,
        "reports": rows.report.pk,
        "notices": rows.notice.pk,
        "looked-in": rows.glass.pk,
        "ages": rows.band.pk,
        "try": rows.generation.pk,
        "generations": rows.generation.pk,
        "consent": rows.policy.version,
        "policies": rows.policy.pk,
        "receipts": rows.receipt.pk,
        "sources": rows.source.pk,
        "imports": rows.record.pk,
        "members": rows.membership.pk,
        "standings": rows.standing.pk,
        "checks": rows.membership.person_id,
        "secret": "nobody-made-this-secret",
        "token": "nobody-made-this-token",
        **OF_OTHERS,
    }


@pytest.fixture
def body(furnished: SimpleNamespace) -> dict[str, Any]:
    """A form with every field that any address asks for, each naming a real row."""
    rows = furnished
    return {
        "community": rows.community.slug,
        "policy": rows.policy.pk,
        "project": rows.project.pk,
        "assignment": rows.assignment.pk,
        "answer": rows.answer.pk,
        "release": rows.release.pk,
        "adapter": rows.adapter.pk,
        "sources": [rows.source.pk],
        "purpose": "train_noncommercial",
        "purposes": ["display_members", "peer_review", "train_noncommercial"],
        "text": "un texto",
        "source": "una frase",
        "version": 1,
        "client_id": str(uuid4()),
        "verdict": "approve",
        "decision": "accept",
        "reason": "other",
        "note": "a note",
        "approve": "true",
        "state": "closed",
        "role": "steward",
        "username": "dana",
        "uses": 1,
        "secret": "nobody-made-this-secret",
        "title": "A title",
        "matter": "label",
        "subject": "label:a word",
        "choice": "for",
        "act": "discuss",
        "licence": "CC0",
        "language_tag": "es",
        "source_language_name": "Spanish",
        "source_language_tag": "es",
        "is_allowed": "true",
        "minimum_new_items": 5,
        "cadence_hours": 24,
        "methods": ["lora"],
        "ranks": [4],
        "budgets": ["50%"],
        "seeds": 3,
        "probes": [rows.probe.pk],
        "origin": "Nowhere",
        "terms": "CC0",
        "run": rows.run.pk,
        "how": "paraphrase",
        "file": SimpleUploadedFile("lines.tsv", b"text\tdocument\nuna\tA\n"),
    }

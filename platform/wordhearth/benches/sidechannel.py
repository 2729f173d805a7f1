"""`script/bench sidechannel`: does time tell an outsider that a row of others is there?

Somebody who holds every role in a community of their own asks, in turn, for a row of another community and for one
that nobody has. Status and body must be the same, and the medians within a fifth of one another. The communities are
made up, in a transaction that is rolled back; a request goes through the whole site, but over no network.
"""

from __future__ import annotations

import gc
import logging
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.test import Client
from django.test.utils import override_settings
from rich.table import Table

from care.harm import report_harm
from care.models import Agreement, Matter, Proposal
from people.models import Membership, Role
from wordhearth.benches.apart import HERE
from wordhearth.made_up import NOW, make

ANSWERS, TASKS = 5_000, 2_000
TIMES = 200
WARMING = 20
MOST = 0.20
NOBODY = UUID("00000000-0000-4000-8000-000000000007")
NUMBER = 987_654_321
# By what is asked for: its address, and how: {there} is the other community's, {own} the outsider's own.
ROUTES: dict[str, tuple[str, str]] = {
    "a community's page": ("get", "/c/{slug}/"),
    "a speaker's desk": ("get", "/c/{slug}/speak/"),
    "an answer, as its author": ("get", "/c/{own}/speak/words/{answer}/"),
    "an answer, as an expert": ("get", "/c/{own}/decide/{answer}/"),
    "a project's work": ("get", "/c/{own}/speak/work/{project}/"),
    "a release": ("get", "/c/{own}/train/releases/{release}/"),
    "a run": ("get", "/c/{own}/train/runs/{run}/"),
    "an adapter": ("get", "/c/{own}/steward/adapters/{adapter}/"),
    "a proposal": ("get", "/c/{own}/steward/proposals/{proposal}/"),
    "a report of harm": ("get", "/c/{own}/steward/reports/{report}/"),
    "an agreement": ("get", "/agreements/{agreement}/"),
    "an answer, API": ("get", "/api/v1/answers/{answer}/"),
    "taking an answer back, API": ("post", "/api/v1/answers/{answer}/withdraw/"),
    "a policy, API": ("get", "/api/v1/policies/{policy}/"),
    "a receipt, API": ("get", "/api/v1/receipts/{receipt}/"),
    "a project, API": ("get", "/api/v1/projects/{project}/"),
    "a release, API": ("get", "/api/v1/releases/{release}/"),
    "an adapter, API": ("get", "/api/v1/adapters/{adapter}/"),
    "an adapter's bias, API": ("get", "/api/v1/adapters/{adapter}/bias/"),
    "a report of harm, API": ("get", "/api/v1/reports/{report}/"),
    "reporting an answer, API": ("post", "/api/v1/reports/"),
}
Facts = dict[str, Any]


def run() -> Facts:
    """Median milliseconds of both for each route, and what told them apart."""
    # Django writes a line for each refusal, which costs more than some refusals.
    with quiet(), transaction.atomic(), override_settings(**HERE):
        there, own = make(size=ANSWERS, seed=1, tasks=TASKS), make(size=100, seed=2, tasks=100, snapshots=1, runs=1)
        outsider = own.people[0]
        for role in Role:
            Membership.objects.create(person=outsider, community=own.community, role=role, since=NOW)
        client = Client(raise_request_exception=False)
        client.force_login(outsider)
        real = _rows(there)
        missing: dict[str, Any] = {name: NOBODY if isinstance(key, UUID) else NUMBER for name, key in real.items()}
        missing["slug"] = "nobody-made-this"
        rows = {}
        for name, (method, address) in ROUTES.items():
            pair = [
                (method, address.format(own=own.community.slug, **keys), _body(name, keys)) for keys in (real, missing)
            ]
            rows[name] = compare(client, pair)
        transaction.set_rollback(True)
    return judged({"times": TIMES, "routes": rows})


@contextmanager
def quiet() -> Iterator[None]:
    """Without the log of refused requests."""
    log = logging.getLogger("django.request")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _rows(made: SimpleNamespace) -> dict[str, Any]:
    """One row of each sort, of the other community."""
    community, person, now = made.community, made.people[0], datetime.now(UTC)
    about = {"kind": "item", "key": str(made.items[0].pk), "category": "personal", "words": ""}
    report, _code = report_harm(community=community, reporter=None, now=now, **about)
    proposal = Proposal.objects.create(
        community=community,
        proposer=person,
        matter=Matter.LABEL,
        subject="label:x",
        text="-",
        rule={},
        electors=[],
        opened_at=now,
        closes_at=now + timedelta(days=1),
    )
    agreement = Agreement.objects.create(
        community=community,
        applicant=person,
        starts_on=now.date(),
        ends_at=now + timedelta(days=30),
        forbidden=["redistribute", "identify"],
        begun_at=now,
    )
    agreement.users.set([person])
    return {
        "slug": community.slug,
        "answer": made.answers[0].pk,
        "project": made.project.pk,
        "release": made.releases[0].pk,
        "run": made.runs[0].pk,
        "adapter": made.adapters[0].pk,
        "proposal": proposal.pk,
        "report": report.pk,
        "agreement": agreement.pk,
        "policy": community.policies.get().pk,
        "receipt": made.receipts[0].pk,
    }


def _body(name: str, keys: dict[str, Any]) -> dict[str, str]:
    """What is sent along where an address alone names nothing."""
    if name != "reporting an answer, API":
        return {}
    return {"kind": "answer", "key": str(keys["answer"]), "category": "personal"}


def compare(client: Client, pair: list[tuple[str, str, dict[str, str]]]) -> Facts:
    """Both asked for in turn, each first as often as the other."""
    took: tuple[list[float], list[float]] = ([], [])
    said: list[tuple[int, str]] = [(0, ""), (0, "")]
    gc.collect()
    gc.disable()
    try:
        for turn in range(WARMING + TIMES):
            for which in (0, 1) if turn % 2 else (1, 0):
                method, address, body = pair[which]
                start = time.perf_counter()
                response = getattr(client, method)(address, body)
                seconds = time.perf_counter() - start
                if turn >= WARMING:
                    took[which].append(1000 * seconds)
                said[which] = (response.status_code, _plain(response.content.decode(), address))
    finally:
        gc.enable()
    there, missing = (statistics.median(one) for one in took)
    return {"there": there, "missing": missing, "status": [said[0][0], said[1][0]], "same": said[0] == said[1]}


def _plain(said: str, address: str) -> str:
    """Without its own address, tokens and nonces."""
    return re.sub(r'(nonce|value|csrf_token|trace|instance)="?:? ?"[^"]*"', "", said.replace(address, "…"))


def difference(row: Facts) -> float:
    """How much longer the slower of both takes, as a part of the faster one."""
    return max(row["there"], row["missing"]) / min(row["there"], row["missing"]) - 1


def judged(facts: Facts) -> Facts:
    """The facts, with a sentence in `failures` for each route that tells."""
    failures = []
    for name, row in facts["routes"].items():
        if not row["same"] or row["status"][0] < 400:
            failures.append(f"{name}: what is of others is not answered as what is not there ({row['status']}).")
        if difference(row) > MOST:
            failures.append(f"{name}: {row['there']:.2f} ms and {row['missing']:.2f} ms.")
    return {**facts, "failures": failures}


def table(facts: Facts) -> Table:
    """The same for people."""
    shown = Table(title=f"Medians of {facts['times']} requests each, in turn", title_justify="left")
    for heading in ("what an outsider asks for", "status", "of others, ms", "not there, ms", "apart, %"):
        shown.add_column(heading, justify="left" if heading.startswith("what") else "right")
    for name, row in facts["routes"].items():
        cells = (str(row["status"][0]), f"{row['there']:.2f}", f"{row['missing']:.2f}", f"{100 * difference(row):.0f}")
        shown.add_row(name, *cells)
    return shown

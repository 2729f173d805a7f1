"""What a speaker reaches in their own community: what is said here, and nothing that is for other roles."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from people.models import Person
from tests.guards.addresses import addresses, send
from tests.guards.test_access import FOR_ANY_ACCOUNT, is_empty_list, told

pytestmark = pytest.mark.django_db

# (why, method, status, names); what is not here, and not for any account, is hidden from a speaker or refused.
FOR_SPEAKERS = (
    ("what members read of their community", "get", 200, "public:community public:glasses public:decisions"),
    ("the same", "get", 200, "public:transparency public:guidelines public:font public:font_sheet"),
    ("the same: what is voted on, also to talk about it", "get", 200, "steward:proposal"),
    ("talking about it", "post", 302, "steward:proposal"),
    ("what adapters in use answer", "get", 200, "public:playground"),
    ("the same; a sentence of one's own to try", "post", 302, "public:playground"),
    ("members may ask for access, too", "get", 200, "public:ask_access"),
    ("the same: a request of one's own", "post", 302, "public:ask_access"),
    ("this form is not whole; only stewards write guidelines", "post", 422, "public:guidelines"),
    ("the speakers' desk", "get", 200, "speaker:home speaker:profile speaker:play speaker:impact speaker:consent"),
    ("the same: work", "get", 200, "speaker:work speaker:take speaker:picture speaker:review speaker:rendering"),
    ("one's own and validated words", "get", 200, "speaker:words"),
    ("to the next piece of work, or back to what is missing first", "get", 302, "speaker:next speaker:packet"),
    ("nobody is asked for their age here", "get", 302, "speaker:age"),
    ("the same", "post", 302, "speaker:age"),
    ("taking back is asked for with a purpose", "get", 302, "speaker:withdraw_consent"),
    ("taking one's own consent back", "post", 302, "speaker:withdraw_consent"),
    ("one's own choices", "post", 302, "speaker:profile speaker:play speaker:give_back"),
    ("a verdict on somebody's words", "post", 302, "speaker:review"),
    ("these forms are not whole", "post", 422, "speaker:consent speaker:rendering speaker:take"),
    ("API: one's communities, tasks that were taken, and how one's checks stand", "get", 200, "api-communities-list"),
    ("the same", "get", 200, "api-assignments-list api-standings-list"),
    ("API: what people said of models' texts, once all have", "get", 200, "api-trials-list api-trials-detail"),
    ("API: the community, its texts and what it decides", "get", 200, "api-communities-detail api-policies-list"),
    ("the same", "get", 200, "api-policies-detail api-proposals-list api-proposals-detail api-decisions-list"),
    ("the same", "get", 200, "api-decisions-detail"),
    ("API: its projects, what they are made of, and when models learn from them", "get", 200, "api-projects-list"),
    ("the same", "get", 200, "api-projects-detail api-sources-list api-sources-detail api-imports-list"),
    ("the same", "get", 200, "api-imports-detail api-schedule api-schedule-outlook api-picture api-suggestions"),
    ("API: adapters, for whose words are in one is theirs to know", "get", 200, "api-adapters-list"),
    ("the same", "get", 200, "api-adapters-detail api-adapters-report api-adapters-bias api-adapters-energy"),
    ("API: one's own, and others' words to check", "get", 200, "api-receipts-list api-answers-list"),
    ("the same", "get", 200, "api-answers-detail"),
    ("nothing is left to check", "get", 204, "api-answers-next-review"),
    ("API: one's own consent", "post", 201, "api-receipts-list"),
    ("the same, taken back", "post", 200, "api-consent-withdraw"),
    ("API: work", "post", 200, "api-projects-lease api-projects-packet"),
    ("this was checked already", "post", 409, "api-answers-reviews"),
    ("a sentence of one's own to try", "post", 202, "api-generations-list"),
    ("this vote is over", "post", 410, "api-proposals-vote"),
    (
        "these forms are not whole; the commands behind them ask for experts and stewards",
        "post",
        400,
        "api-suggestions",
    ),
    ("the same", "post", 400, "api-projects-set-checks"),
)


@pytest.mark.slow
def test_a_speaker_reaches_what_is_for_speakers_and_nothing_else(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], goran: Person
) -> None:
    """Each request is taken back, so that each finds the same rows."""
    known = {name: statuses for name, (statuses, _) in FOR_ANY_ACCOUNT.items()}
    known |= {f"{method} {name}": {status} for _, method, status, names in FOR_SPEAKERS for name in names.split()}
    client.force_login(goran)
    client.raise_request_exception = False
    wrong, reached = [], set()
    for address in addresses():
        for method in address.answered if address.is_ours else ():
            with transaction.atomic():
                response = send(client, method, address.filled(furnished.arguments), body)
                transaction.set_rollback(True)
            if response.status_code in {403, 404} or (method == "get" and is_empty_list(address, response)):
                continue
            reached.add(f"{method} {address.name}")
            if response.status_code not in known.get(f"{method} {address.name}", ()):
                wrong.append(told(address, method, response))
    assert not wrong, "\n".join(wrong)
    assert {f"{method} {name}" for _, method, _, names in FOR_SPEAKERS for name in names.split()} <= reached

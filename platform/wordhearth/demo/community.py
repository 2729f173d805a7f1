"""The demo's community, accounts, policy, corpus and project. Running it again finds what is there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotation.corpora.models import Source
from annotation.corpora.packaged import ELOTL_LICENCE, read_tsunkua
from annotation.corpora.services import import_packaged
from annotation.projects.models import Project
from annotation.projects.services import open_project
from care.models import Policy, Purpose
from care.services import current_receipt, give_consent, publish_policy, published_policy
from people.models import Community, Person, Role
from people.services import found_community, grant_role

SLUG = "demo-otomi"
ORIGIN = "elotl package: Tsunkua, Otomí–Spanish parallel corpus"
ELOTL_TERMS = f"{ELOTL_LICENCE}; prompts: CC0"
DOCUMENTS = 4
STAFF = {"demo-steward": Role.STEWARD, "demo-expert": Role.EXPERT, "demo-researcher": Role.RESEARCHER}
SPEAKERS = tuple(f"demo-speaker-{number}" for number in range(1, 7))
PURPOSES = (
    Purpose.DISPLAY_MEMBERS,
    Purpose.PEER_REVIEW,
    Purpose.EVALUATE_MODELS,
    Purpose.TRAIN_NONCOMMERCIAL,
)
CHARACTERS = "ä ë ñ ö ʼ ̱ ̠ ŭ ' á é í ó ú"
POLICY = """This is a demonstration. Its accounts are not people, and the translations they send were published \
before: they come from the corpus Tsunkua, as the package elotl carries it.

In a community of your own, this text says in the community's own words what happens with what you write:

- You keep your words. You allow uses one by one below, and you can take each back at any time.
- Members read and check your words. Without that, the work cannot be done.
- Only words whose author allows training are in a release, and only releases train a model.
- When you take words back, they leave the next release at once. Every release and every model that held them \
is marked, and such a model is not used any more.
"""


# What holds in any language; letters and words are for speakers to give.
CHECKS = {"wanted": ["numbers", "length", "copy"]}


@dataclass(frozen=True)
class Cast:
    """The demo's accounts by what they do."""

    steward: Person
    expert: Person
    researcher: Person
    speakers: list[Person]


def demo_password() -> str:
    """The demo accounts' password: made once for this installation and kept in var/, readable by its owner."""
    path = Path(settings.VAR_DIR) / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("demo-" + secrets.token_hex(4))
    return path.read_text().strip()


def make_accounts(password: str) -> Cast:
    """The demo accounts, named as such."""
    people: dict[str, Person] = {}
    for username in (*STAFF, *SPEAKERS):
        person, created = Person.objects.get_or_create(
            username=username,
            defaults={"display_name": username.replace("-", " ").capitalize(), "is_demo": True},
        )
        if created or not person.check_password(password):
            person.set_password(password)
            person.save(update_fields=["password"])
        people[username] = person
    return Cast(
        steward=people["demo-steward"],
        expert=people["demo-expert"],
        researcher=people["demo-researcher"],
        speakers=[people[name] for name in SPEAKERS],
    )


def make_community(cast: Cast) -> Community:
    """The community with its members."""
    now = timezone.now()
    community = Community.objects.filter(slug=SLUG).first() or found_community(
        founder=cast.steward,
        now=now,
        slug=SLUG,
        name="Demo community: Otomí",
        language_name="Otomí",
        language_tag="ote",
        iso_639_3="ote",
        glottocode="mezq1235",
        script="Latn",
        is_demo=True,
        about="Not a real community. It shows how Wordhearth works, with published Otomí–Spanish sentences.",
        varieties=[
            {"code": "ote", "name": "Otomí del Mezquital", "iso_639_3": "ote"},
            {
                "code": "ots",
                "name": "Otomí del Estado de México",
                "iso_639_3": "ots",
                "glottocode": "esta1236",
            },
            {"code": "otz", "name": "Otomí de Ixtenco", "iso_639_3": "otz"},
        ],
        orthographies=[{"name": "Letters of the Tsunkua corpus", "script": "Latn", "characters": CHARACTERS}],
    )
    for username, role in STAFF.items():
        grant_role(
            person=Person.objects.get(username=username),
            community=community,
            role=role,
            granted_by=cast.steward,
            now=now,
        )
    for speaker in cast.speakers:
        grant_role(person=speaker, community=community, role=Role.SPEAKER, granted_by=cast.steward, now=now)
    return community


def make_policy(community: Community, cast: Cast) -> Policy:
    """The published policy, and a receipt for every account that contributes or checks."""
    policy = published_policy(community) or publish_policy(
        community=community,
        text=POLICY,
        purposes=list(Purpose.values),
        waiver="A demonstration: nobody here speaks for a community, so nobody rendered this text in its language.",
        published_by=cast.steward,
        now=timezone.now(),
    )
    for person in (*cast.speakers, cast.expert):
        if current_receipt(person, community) is None:
            give_consent(person=person, policy=policy, purposes=PURPOSES, now=timezone.now())
    return policy


def import_corpus(community: Community, cast: Cast) -> int:
    """Import the whole packaged corpus; returns the number of its sentences."""
    sources = Source.objects.filter(community=community, origin=ORIGIN)
    if not sources.exists():
        import_packaged(
            community=community,
            imported_by=cast.steward,
            rows=read_tsunkua(),
            origin=ORIGIN,
            licence=ELOTL_LICENCE,
            language_tag="es",
            now=timezone.now(),
        )
    return sum(source.items.count() for source in sources.all())


def make_project(community: Community, cast: Cast) -> Project:
    """A translation project over the corpus's four longest documents."""
    project = Project.objects.filter(community=community, kind="translate").order_by("created_at").first()
    if project is not None:
        return project
    sources = sorted(community.sources.filter(origin=ORIGIN), key=lambda source: -source.items.count())[:DOCUMENTS]
    return open_project(
        community=community,
        created_by=cast.steward,
        sources=sources,
        now=timezone.now(),
        title="Spanish to Otomí (demo)",
        source_language_name="Spanish",
        source_language_tag="es",
        orthography=community.orthographies.first(),
        checks=CHECKS,
        guidelines="Write it as you would say it. Keep names as they are. If you do not know, skip.",
    )


def sign_ins() -> list[tuple[str, str]]:
    """Username and what to do with it, for the closing words."""
    return [
        ("demo-speaker-1", "translate, review, my words, consent"),
        ("demo-expert", "decide what peers could not"),
        ("demo-researcher", "release, run, loss curve, evaluation"),
        ("demo-steward", "corpus, members, approval"),
    ]

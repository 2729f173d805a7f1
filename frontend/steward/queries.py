"""What the stewards' pages read across rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from annotation.corpora.models import Source
from annotation.projects.models import Project
from annotation.standing.models import Standing
from care.labels import label_of
from care.models import Purpose, Restriction
from ledger.actions import ACTIONS
from ledger.models import Entry
from people.models import Community, Membership, Person


@dataclass(frozen=True)
class RecordLine:
    """A ledger entry with the name of who acted: the account's, or the platform's own when nobody did."""

    entry: Entry
    actor: str

    @property
    def is_private(self) -> bool:
        """Whether the page names nobody: consent is between a person and their community."""
        return is_private(self.entry)

    @property
    def details(self) -> list[tuple[str, str]]:
        """What the entry says openly and, unless it is private, what is sealed in it: (name, value), hashes short."""
        secret = None if self.is_private else getattr(self.entry, "secret", None)
        said = {**self.entry.details, **(secret.payload if secret else {})}
        return [(key.replace("_", " "), _short(value)) for key, value in said.items()]

    @property
    def is_erased(self) -> bool:
        """Whether something was sealed in it that is no more."""
        return bool(self.entry.commitment) and not hasattr(self.entry, "secret")


def _short(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text


def record_lines(entries: Sequence[Entry]) -> list[RecordLine]:
    """The entries with the names of the people who acted, but for what is theirs alone to tell."""
    ids = {int(entry.actor) for entry in entries if entry.actor.isdigit()}
    names = {str(person.pk): person.name for person in Person.objects.filter(pk__in=ids)}
    return [RecordLine(entry=entry, actor="" if is_private(entry) else names.get(entry.actor, "")) for entry in entries]


def is_private(entry: Entry) -> bool:
    """Whether it concerns a person's own consent or words: that it happened is for all, who it was is not."""
    return entry.action in ACTIONS and ACTIONS[entry.action].hides_person


def members_of(community: Community) -> QuerySet[Person]:
    """People with a live role, by name; `live_roles` holds their memberships."""
    live = Membership.objects.live().filter(community=community).order_by("role")
    people = Person.objects.filter(memberships__in=live).distinct().order_by("username")
    return people.prefetch_related(Prefetch("memberships", queryset=live, to_attr="live_roles"))


@dataclass(frozen=True)
class Checker:
    """A member with what is known of how they check; nothing is known of who never checked."""

    person: Person
    standing: Standing | None

    @property
    def needs_a_look(self) -> bool:
        """Whether their votes are counted out."""
        return bool(self.standing and (self.standing.is_stopped or self.standing.is_frozen))


def checkers_of(community: Community) -> list[Checker]:
    """Everybody who may check or ever did; those whose votes are counted out come first, then by name."""
    standings = {row.person_id: row for row in Standing.objects.filter(community=community)}
    live = Membership.objects.live().filter(community=community, role__in=["speaker", "expert"])
    people = Person.objects.filter(Q(memberships__in=live) | Q(pk__in=standings)).distinct().order_by("username")
    rows = [Checker(person=person, standing=standings.get(person.pk)) for person in people]
    return sorted(rows, key=lambda row: not row.needs_a_look)


def sources_with_items(community: Community, person: Person) -> QuerySet[Source]:
    """The community's documents by title, with `items_total` sentences each."""
    sources: QuerySet[Source] = Source.objects.visible_to(person).filter(community=community)
    return sources.select_related("variety").annotate(items_total=Count("items")).order_by("title", "pk")


@dataclass(frozen=True)
class RestrictionLine:
    """A restriction with the words for it."""

    row: Restriction
    name: str
    on: str
    blocks: list[str]


def restriction_lines(community: Community, rows: Sequence[Restriction]) -> list[RestrictionLine]:
    """The community's restrictions with what they are called, what they are on, and what they keep from."""
    names = {
        "project": dict(Project.objects.filter(community=community).values_list("pk", "title")),
        "source": dict(Source.objects.filter(community=community).values_list("pk", "title")),
        "person": {one.pk: one.name for one in Person.objects.filter(memberships__community=community)},
    }
    return [
        RestrictionLine(
            row=row,
            name=label_of(row.code).name if row.code else str(row.get_cause_display()),
            on=names.get(row.kind, {}).get(int(row.key) if row.key.isdecimal() else 0) or str(row.get_kind_display()),
            blocks=[str(Purpose(purpose).label) for purpose in row.blocks],
        )
        for row in rows
    ]

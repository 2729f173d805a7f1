"""Languages by name: the community's own, its varieties, and those of people who read beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import get_language, get_language_info

from care.models import Rendering
from people.models import Community, LanguageProfile, Person, Variety


def tag_of_variety(community: Community, variety: Variety) -> str:
    """The community's tag with the variety's code for private use (BCP 47, 2.2.7): `ote-x-sierra`."""
    parts = [part[at : at + 8] for part in re.split(r"[-_]+", variety.code.lower()) for at in range(0, len(part), 8)]
    return "-".join([community.language_tag, "x", *parts])


def languages_of(community: Community) -> dict[str, str]:
    """Names by tag of what a text can be rendered in without naming another: its language, varieties, the site's."""
    varieties = {tag_of_variety(community, one): one.name for one in community.varieties.all()}
    site = {tag: _own_name(tag) for tag, _ in settings.LANGUAGES}
    return {community.language_tag: community.language_name, **varieties, **site}


def name_of_language(community: Community, tag: str) -> str:
    """What its readers call it, where that is known; else the tag itself."""
    known = {one.casefold(): name for one, name in languages_of(community).items()}
    return known.get(tag.casefold()) or _own_name(tag)


def named(community: Community, renderings: Iterable[Rendering]) -> list[tuple[str, Rendering]]:
    """Each rendering with the name of its language."""
    known = {one.casefold(): name for one, name in languages_of(community).items()}
    return [(known.get(one.language.casefold()) or _own_name(one.language), one) for one in renderings]


def languages_of_reader(person: Person, community: Community) -> list[str]:
    """Tags of what the person reads: the varieties that they named here, then the language of the pages."""
    profile = LanguageProfile.objects.filter(person=person, community=community).first()
    spoken = [tag_of_variety(community, one) for one in profile.varieties.all()] if profile else []
    return [*spoken, get_language() or ""]


def _own_name(tag: str) -> str:
    try:
        return str(get_language_info(tag.lower())["name_local"]).capitalize()
    except KeyError:
        return tag

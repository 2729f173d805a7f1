"""A community's own web font, where phones lack one for its script: cut down to the letters that it needs."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime

import regex
from django.db import transaction
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, TTLibError

from ledger.services import append_entry
from people.models import Community, CommunityFont, Person, Role
from people.refusals import Invalid
from people.services import require_role

MOST_UPLOADED = 10_000_000
# What a page of a speaker may weigh in all is 60 KB; a font is loaded once and kept.
MOST_BYTES = 150_000
# Letters of Latin script too: the site's own words stand beside the community's.
_BESIDE = r"\p{Script=Common}\p{Script=Inherited}A-Za-z0-9"
_MOST_COMMON = range(0x3000)


@transaction.atomic
def set_font(
    *, community: Community, set_by: Person, content: bytes, name: str, licence: str, now: datetime
) -> CommunityFont:
    """Keep the part of a font that the community's script needs. Raises Invalid, NotAllowed."""
    require_role(set_by, community, Role.STEWARD)
    if not name.strip() or not licence.strip():
        raise Invalid("Name the font and say on what terms it may be used.", field="licence")
    small = subset(content, script=community.script)
    font, _created = CommunityFont.objects.update_or_create(
        community=community,
        defaults={
            "name": name.strip(),
            "licence": licence.strip(),
            "content": small,
            "sha256": hashlib.sha256(small).hexdigest(),
            "set_at": now,
        },
    )
    _record("community.font_set", community, set_by, now, details={"bytes": len(small)}, private={"name": font.name})
    return font


@transaction.atomic
def remove_font(*, community: Community, removed_by: Person, now: datetime) -> None:
    """Go back to the phone's own fonts; without a font this changes nothing."""
    require_role(removed_by, community, Role.STEWARD)
    if CommunityFont.objects.filter(community=community).delete()[0]:
        _record("community.font_removed", community, removed_by, now)


def subset(content: bytes, *, script: str) -> bytes:
    """WOFF2 with the glyphs of the script (ISO 15924), of plain Latin, and of the signs common to all.

    Raises Invalid when it is no font, lacks the script, or stays too large.
    """
    if len(content) > MOST_UPLOADED:
        raise Invalid("The font is larger than %(most)s MB.", field="file", most=MOST_UPLOADED // 1_000_000)
    try:
        font = TTFont(io.BytesIO(content), lazy=True)
        known = set(font.getBestCmap() or ())
        own = {code for code in known if regex.match(rf"\p{{Script={script}}}", chr(code))}
        beside = {code for code in known if code in _MOST_COMMON and regex.match(f"[{_BESIDE}]", chr(code))}
        if not own:
            raise Invalid("The font has no letters of the script %(script)s.", field="file", script=script)
        options = Options(flavor="woff2", layout_features=["*"], notdef_outline=True, hinting=False)
        cutter = Subsetter(options)
        cutter.populate(unicodes=own | beside)
        cutter.subset(font)
        font.flavor = "woff2"
        out = io.BytesIO()
        font.save(out)
    except (TTLibError, OSError, KeyError, AssertionError, ValueError) as error:
        raise Invalid("This is no font that can be read: send .ttf, .otf, .woff or .woff2.", field="file") from error
    if out.tell() > MOST_BYTES:
        raise Invalid(
            "Even cut down to %(script)s, the font weighs %(size)s KB; at most %(most)s KB can be sent to phones.",
            field="file",
            script=script,
            size=out.tell() // 1000,
            most=MOST_BYTES // 1000,
        )
    return out.getvalue()


def _record(action: str, community: Community, actor: Person, now: datetime, **more: dict[str, object]) -> None:
    append_entry(
        action=action,
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(actor.pk),
        now=now,
        **more,
    )

"""Pictures to write about: made small enough for a phone, and freed of where and with what they were taken."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from annotation.corpora.models import Import, Picture
from annotation.corpora.readers import Problem, problem
from annotation.corpora.services import Line, UnusableFile, store_lines
from annotation.text.clean import UnusableText, clean_text
from annotation.worded import Worded
from people.models import Community, Person, Role
from people.refusals import Invalid
from people.services import require_role

LONGEST_SIDE = 640
MOST_BYTES = 60_000
MOST_UPLOADED = 15_000_000
MOST_PIXELS = 60_000_000
MOST_PICTURES = 100


class UnusablePicture(Worded):
    """It is no picture, or too large to be opened safely."""


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


def shrink(content: bytes) -> tuple[bytes, int, int]:
    """The picture as WebP of at most MOST_BYTES, upright, with nothing but its pixels; its width and height.

    Raises UnusablePicture.
    """
    if len(content) > MOST_UPLOADED:
        raise UnusablePicture("It is larger than %(most)s MB.", most=MOST_UPLOADED // 1_000_000)
    try:
        picture = Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP", "GIF"])
        if picture.width * picture.height > MOST_PIXELS:
            raise UnusablePicture("It has more than %(most)s million points.", most=MOST_PIXELS // 1_000_000)
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    except UnusablePicture:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnusablePicture("It is no picture that can be read: send JPEG, PNG, WebP or GIF.") from error
    side, quality = LONGEST_SIDE, 75
    while True:
        small = upright.copy()
        small.thumbnail((side, side))
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality)
        if out.tell() <= MOST_BYTES:
            return out.getvalue(), small.width, small.height
        side, quality = side * 4 // 5, max(40, quality - 10)


def description_of(name: str) -> str:
    """Words for those who do not see the picture, from its file's name: market-in-the-morning.jpg."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return " ".join(re.sub(r"[-_.]+", " ", stem).split())


@transaction.atomic
def import_pictures(
    *,
    community: Community,
    imported_by: Person,
    uploads: Iterable[Upload],
    prompt: str,
    title: str,
    licence: str,
    language_tag: str,
    now: datetime,
) -> Import:
    """Make an item of each picture, with the same prompt; what cannot be used is named in `Import.problems`.

    Raises Invalid, UnusableFile, NotAllowed.
    """
    require_role(imported_by, community, Role.STEWARD)
    if not licence.strip():
        raise Invalid("Say on what terms the pictures may be used.", field="licence")
    try:
        prompt, title = clean_text(prompt, maximum=500), clean_text(title, maximum=300)
    except UnusableText as error:
        raise Invalid(error.message, field="prompt", **error.values) from error
    lines: list[Line] = []
    problems: list[Problem] = []
    hashes = hashlib.sha256()
    for number, upload in enumerate(uploads, start=1):
        if number > MOST_PICTURES:
            problems.append(problem(number, Worded("Only %(most)s pictures are taken at once.", most=MOST_PICTURES)))
            break
        try:
            extra = _keep(upload, community, now)
        except (UnusablePicture, UnusableText) as error:
            problems.append(problem(number, error))
            continue
        hashes.update(extra["picture_sha256"].encode())
        lines.append(Line(number=number, text=prompt, title=title, extra=extra))
    if not lines:
        why = problems[0]["message"] if problems else ""
        raise UnusableFile("None of the pictures can be used. %(why)s", field="files", why=why)
    return store_lines(
        community=community,
        imported_by=imported_by,
        origin=title[:200],
        licence=licence.strip(),
        sha256=hashes.hexdigest(),
        language_tag=language_tag,
        lines=lines,
        rows=len(lines) + len(problems),
        problems=problems,
        now=now,
    )


def _keep(upload: Upload, community: Community, now: datetime) -> dict[str, str]:
    description = clean_text(description_of(upload.name) or "picture", maximum=200)
    content, width, height = shrink(upload.content)
    sha256 = hashlib.sha256(content).hexdigest()
    Picture.objects.get_or_create(
        community=community,
        sha256=sha256,
        defaults={"content": content, "width": width, "height": height, "created_at": now},
    )
    return {"picture": description, "picture_sha256": sha256}

"""What experts read in place of names: a name sways whoever decides."""

from __future__ import annotations

import base64
import hashlib
import hmac
from itertools import count

from django.conf import settings

from annotation.answers.models import Answer, Review
from annotation.projects.models import Task

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH_OF_CODE = 4


def code_of(person: int, community: int) -> str:
    """The same four signs for a person in everything of one community, from which nobody can tell who it is."""
    message = f"annotator:{community}:{person}".encode()
    digest = hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256)
    return base64.b32encode(digest).decode()[:LENGTH_OF_CODE]


def letters_of(task: Task) -> dict[int, str]:
    """A, B, C, … for everybody who answered the task or checked an answer to it, in the order in which they came.

    Those who come later change nothing, and neither do those who take their words back.
    """
    answers = Answer.objects.filter(task=task).values_list("author", "created_at", "pk")
    reviews = Review.objects.filter(answer__task=task).values_list("reviewer", "created_at", "pk")
    came = sorted(
        [(at, 0, str(pk), who) for who, at, pk in answers] + [(at, 1, str(pk), who) for who, at, pk in reviews]
    )
    return dict(zip(dict.fromkeys(row[-1] for row in came), map(_letter, count()), strict=False))


def _letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)] + (str(number // len(LETTERS) + 1) if number >= len(LETTERS) else "")

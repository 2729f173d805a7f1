"""{% own "Good" %}: the community's own word for it, else the site's in the reader's language.

Beside it {{ answer|in_short }}, which several desks want.
"""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from annotation.answers.models import Answer
from frontend.kind_pages import in_short
from people.models import Community

register = template.Library()


@register.filter(name="in_short")
def short(answer: Answer) -> str:
    """What an answer says, on one line; load its task's item and project with it."""
    return in_short(answer)


@register.simple_tag(takes_context=True)
def own(context: Context, word: str) -> str | SafeString:
    """One of `frontend.own_words.OWN_WORDS`, for a button or a link; titles and attributes take no markup."""
    community = context.get("community")
    words = community.own_words.get(word) if isinstance(community, Community) else ""
    if not words:
        return gettext(word)
    return format_html('<span lang="{}" dir="auto">{}</span>', community.language_tag, words)

"""{% report_link "answer" answer.pk %}: where something of the page's community is reported."""

from __future__ import annotations

from django import template
from django.template.context import Context

from frontend.reporting import Subject, report_address

register = template.Library()


@register.simple_tag(takes_context=True)
def report_link(context: Context, kind: str, key: object, generation: object = "") -> str:
    """The address; `generation` when a model wrote what is reported."""
    return report_address(Subject(context["community"], kind, str(key), str(generation)))

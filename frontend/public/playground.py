"""Trying an adapter: one sentence, answered by the base model and by the adapter side by side."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from django import forms
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import RedisError

from frontend.desk import DeskView, show_refusal
from frontend.public.queries import adapters_with_reasons
from people.refusals import Refusal
from training.playground.explanations import request_explanation
from training.playground.jobs import ring, ring_explaining
from training.playground.models import Explanation, Generation
from training.playground.services import request_generation
from training.playground.stream import follow
from training.runs.findings import findings_of
from training.runs.models import Adapter

LONGEST_STREAM = 150.0  # seconds; the browser opens a new one by itself and goes on where this one ended
ENDED = (Generation.State.FINISHED, Generation.State.FAILED)
STOP_POLLING = 286  # the status with which htmx ends an "every 2s" trigger
STREAM_ID = re.compile(r"^\d{1,20}(-\d{1,20})?$")


class TryForm(forms.Form):
    """A sentence, and the adapter to try it with."""

    adapter = forms.ModelChoiceField(label=gettext_lazy("Adapter"), queryset=Adapter.objects.none(), empty_label=None)
    source = forms.CharField(label=gettext_lazy("Sentence"), strip=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, adapters: QuerySet[Adapter], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["adapter"]
        # Any adapter of the community may be asked for, so that the service can say why one is refused.
        field.queryset = adapters
        field.widget.choices = [(adapter.pk, _label(adapter)) for adapter in adapters.usable()]  # type: ignore[attr-defined]


def _label(adapter: Adapter) -> str:
    words = {"run": adapter.run.number, "chrf": adapter.adapter_chrf}
    return _("Run %(run)s (chrF++ %(chrf).1f)") % words


def _why_not(adapter: Adapter) -> str:
    """Why an adapter may not be tried, in plain words."""
    if adapter.contains_withdrawn:
        return _("Words it learnt from were withdrawn, so nobody uses it any more.")
    if adapter.is_usable:
        return _("It is held back, or the community’s decision on it does not hold now.")
    reasons = {
        Adapter.State.CANDIDATE: _("A steward has not decided on it yet."),
        Adapter.State.REFUSED: _("The stewards refused it."),
        Adapter.State.RETIRED: _("The stewards took it out of use."),
    }
    return str(reasons[Adapter.State(adapter.state)])


class PlaygroundView(DeskView):
    """The form, for any member."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Choose an adapter and write a sentence."""
        return self._page(TryForm(adapters=self._adapters()))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask both models."""
        form = TryForm(request.POST, adapters=self._adapters())
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            generation = request_generation(person=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        ring(generation)
        return redirect("public:generation", slug=self.community.slug, pk=generation.pk)

    def _adapters(self) -> QuerySet[Adapter]:
        return adapters_with_reasons(self.person, self.community)

    def _page(self, form: TryForm, *, status: int = 200) -> HttpResponse:
        adapters = list(self._adapters())
        in_use = set(self._adapters().usable().values_list("pk", flat=True))
        usable = [adapter for adapter in adapters if adapter.pk in in_use]
        if usable:
            form.fields["source"].widget.attrs["lang"] = usable[0].run.release.project.source_language_tag
        found = findings_of(usable)
        mine = Generation.objects.visible_to(self.person).filter(adapter__community=self.community)
        context = {
            "community": self.community,
            "form": form,
            "usable": usable,
            "found": [(adapter, found[adapter.pk]) for adapter in usable],
            "refused": [(adapter, _why_not(adapter)) for adapter in adapters if adapter.pk not in in_use],
            "waiting": mine.exclude(state__in=ENDED).first(),
            "earlier": mine.filter(state__in=ENDED)[:10],
        }
        return render(self.request, "public/playground.html", context, status=status)


class OneGeneration(DeskView):
    """What the page and its stream share."""

    def generation(self, pk: UUID) -> Generation:
        """The person's own generation."""
        mine = Generation.objects.visible_to(self.person).filter(adapter__community=self.community)
        generation: Generation = get_object_or_404(mine.select_related("adapter__run__release__project"), pk=pk)
        return generation


class GenerationView(OneGeneration):
    """Both answers side by side; they fill while they are written."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Read them."""
        return self.page(self.generation(pk))

    def page(self, generation: Generation, *, refusal: Refusal | None = None) -> HttpResponse:
        """Both texts, and which words the adapter's hangs on, if that was asked."""
        explanation = Explanation.objects.filter(generation=generation).first()
        context = {
            "community": self.community,
            "generation": generation,
            "project": generation.adapter.run.release.project,
            "is_over": generation.state in ENDED,
            "explanation": explanation,
            "shades": shades_of(explanation) if explanation else [],
            "refusal": refusal,
        }
        status = refusal.status if refusal else 200
        return render(self.request, "public/playground_generation.html", context, status=status)


class ExplainView(GenerationView):
    """Which words of the sentence the adapter's text hangs on."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The part of the page that changes while it is reckoned, for htmx to put in place."""
        generation = self.generation(pk)
        explanation = Explanation.objects.filter(generation=generation).first()
        if explanation is not None and explanation.is_live:
            context = {"community": self.community, "generation": generation, "explanation": explanation}
            return render(request, "public/_explanation_live.html", context)
        response = HttpResponse(status=STOP_POLLING)
        response["HX-Refresh"] = "true"
        return response

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask a worker."""
        generation = self.generation(pk)
        try:
            ring_explaining(request_explanation(generation=generation, person=self.person, now=self.now))
        except Refusal as refusal:
            return self.page(generation, refusal=refusal)
        return redirect("public:generation", slug=self.community.slug, pk=generation.pk)


@dataclass(frozen=True)
class Shade:
    """One word as it is shown: its share of all weights in percent, and how dark it is, 0 to 4."""

    word: str
    percent: int
    level: int

    @property
    def shown(self) -> str:
        """Such as +12 or −5, so that nothing hangs on colours."""
        return f"+{self.percent}" if self.percent > 0 else str(self.percent).replace("-", "−")


def shades_of(explanation: Explanation) -> list[Shade]:
    """The words of the sentence in their order; none until it is finished."""
    total = sum(map(abs, explanation.weights)) or 1.0
    most = max(map(abs, explanation.weights), default=0.0) or 1.0
    return [
        Shade(word.strip(), round(100 * weight / total), ceil(4 * abs(weight) / most - 0.5))
        for word, weight in zip(explanation.words, explanation.weights, strict=False)
    ]


class StreamView(OneGeneration):
    """The words as they come, as Server-Sent Events."""

    def get(self, request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
        """Follow the generation from where the browser says it was."""
        last_id = request.headers.get("Last-Event-ID", "")
        events = stream_of(self.generation(pk), last_id if STREAM_ID.match(last_id) else "0")
        response = StreamingHttpResponse(events, content_type="text/event-stream")
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"
        # Gzip would hold the words back; Django's middleware leaves alone what names an encoding.
        response["Content-Encoding"] = "identity"
        return response


def stream_of(generation: Generation, last_id: str) -> Iterator[str]:
    """Server-Sent Events of a generation: from its row when it is over, else as the worker writes them.

    A quiet stream sends comments, so that nothing between worker and browser closes it. It ends with the
    generation, or after 150 seconds.
    """
    yield "retry: 2000\n\n"
    if generation.state in ENDED:
        yield from _whole(generation)
        return
    _let_go_of_the_database()
    until = time.monotonic() + LONGEST_STREAM
    try:
        for event_id, event in follow(str(generation.pk), last_id=last_id):
            if event_id:
                yield _message(event, event_id)
                continue
            # Nothing came for a while: the worker may have ended it without a word, so the row is asked.
            generation.refresh_from_db(fields=["state", "base_text", "adapter_text", "failure"])
            _let_go_of_the_database()
            if generation.state in ENDED:
                yield from _whole(generation)
                return
            yield ": still writing\n\n"
            if time.monotonic() > until:
                return
    except RedisError:
        # The browser comes back in two seconds and finds the row or the stream again.
        yield ": interrupted\n\n"


def _let_go_of_the_database() -> None:
    """Give the connection back: a stream that mostly waits must not keep one."""
    if not connection.in_atomic_block:
        connection.close()


def _whole(generation: Generation) -> Iterator[str]:
    yield _message({"event": "whole", "base": generation.base_text, "adapter": generation.adapter_text})
    failed = generation.state == Generation.State.FAILED
    yield _message({"event": "error", "message": generation.failure} if failed else {"event": "finished"})


def _message(event: dict[str, Any], event_id: str = "") -> str:
    """One event on the wire; JSON holds no line breaks, so one data line is enough."""
    if event.get("event") == "error":
        event = {**event, "message": _(str(event.get("message", "")))}
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n"

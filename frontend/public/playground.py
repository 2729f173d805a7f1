"""Trying an adapter: one sentence, answered side by side with the base model or with another adapter."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import RedisError

from frontend.desk import DeskView, show_refusal
from frontend.public.queries import adapters_with_reasons
from frontend.public.shades import shades_of
from people.models import Role
from people.refusals import Refusal
from people.services import has_role
from training.playground.explanations import request_explanation
from training.playground.jobs import ring, ring_explaining
from training.playground.models import Explanation, Generation
from training.playground.services import LAST_SEED, Side, request_generation
from training.playground.stream import follow
from training.playground.tasks import make_task
from training.runs.findings import findings_of
from training.runs.models import Adapter

LONGEST_STREAM = 150.0  # seconds; the browser opens a new one by itself and goes on where this one ended
ENDED = (Generation.State.FINISHED, Generation.State.FAILED)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STOP_POLLING = 286  # the status with which htmx ends an "every 2s" trigger
STREAM_ID = re.compile(r"^\d{1,20}(-\d{1,20})?$")


# How much chance there is in what is written, by what a person chooses.
CHANCE = (
    ("0", gettext_lazy("None: always the likeliest words")),
    ("0.5", gettext_lazy("A little")),
    ("1", gettext_lazy("As much as the model has")),
)


class SideField(forms.TypedChoiceField):
    """An adapter, or some ranks of it: "7" or "7:4"; nothing where nothing is chosen."""

    def offer(self, adapters: QuerySet[Adapter], *before: tuple[str, Any]) -> None:
        """Show the usable ones, and behind each the ranks of it that were measured."""
        # Any adapter of the community may be asked for, so that the service can say why one is refused.
        self._adapters = adapters
        self.widget.choices = [*before, *_sides(adapters.usable())]  # type: ignore[attr-defined]

    def valid_value(self, value: Any) -> bool:
        """Whether it names an adapter of the community."""
        key, _colon, rank = str(value).partition(":")
        known = key.isdecimal() and self._adapters.filter(pk=int(key)).exists()
        return known and (not _colon or rank.isdecimal())

    def clean(self, value: Any) -> Side | None:
        """The adapter and its rank."""
        chosen = super().clean(value)
        if not chosen:
            return None
        key, _colon, rank = str(chosen).partition(":")
        return Side(self._adapters.get(pk=int(key)), int(rank) if rank else None)


class TryForm(forms.Form):
    """A sentence, the adapter to try it with, and what stands beside it."""

    adapter = SideField(label=gettext_lazy("Adapter"))
    source = forms.CharField(label=gettext_lazy("Sentence"), strip=False, widget=forms.Textarea(attrs={"rows": 3}))
    beside = SideField(label=gettext_lazy("Beside it"), required=False)
    temperature = forms.TypedChoiceField(
        label=gettext_lazy("Chance in what is written"), choices=CHANCE, coerce=float, required=False, empty_value=0.0
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Number of the draw"),
        help_text=gettext_lazy("The same number draws the same words again."),
        min_value=0,
        max_value=LAST_SEED,
        required=False,
    )

    def __init__(self, *args: Any, adapters: QuerySet[Adapter], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["adapter"].offer(adapters)  # type: ignore[attr-defined]
        self.fields["beside"].offer(adapters, ("", _("Base model")))  # type: ignore[attr-defined]

    @property
    def request(self) -> dict[str, Any]:
        """What was asked for, as the service takes it."""
        given = self.cleaned_data
        side: Side = given["adapter"]
        how = {"beside": given["beside"], "temperature": given["temperature"], "seed": given["seed"] or 0}
        return {"adapter": side.adapter, "rank": side.rank, "source": given["source"], **how}


def _sides(adapters: Iterable[Adapter]) -> Iterator[tuple[str, str]]:
    """The choices: each adapter whole, then its smaller ranks."""
    for adapter in adapters:
        yield str(adapter.pk), _label(adapter)
        for rank in adapter.ranks[:-1]:
            smaller = _("Run %(number)s") % {"number": adapter.run.number}, _("Rank %(rank)s") % {"rank": rank}
            yield f"{adapter.pk}:{rank}", " · ".join(smaller)


def _label(adapter: Adapter) -> str:
    if adapter.adapter_chrf is None:
        return _("Run %(number)s") % {"number": adapter.run.number}
    words = {"run": adapter.run.number, "chrf": adapter.adapter_chrf}
    return _("Run %(run)s (chrF++ %(chrf).1f)") % words


def _chosen_again(generation: Generation) -> dict[str, Any]:
    """What a form begins with that asks for much the same once more."""

    def side(adapter: int | None, rank: int | None) -> str:
        return f"{adapter}:{rank}" if rank else str(adapter or "")

    return {
        "adapter": side(generation.adapter_id, generation.rank),
        "beside": side(generation.beside_id, generation.beside_rank),
        "temperature": f"{generation.temperature:g}",
        "seed": generation.seed,
        "source": generation.source,
    }


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
        """Choose an adapter and write a sentence, or begin with one that was tried before."""
        initial = {}
        if again := UUID_FORM.fullmatch(request.GET.get("again", "")):
            earlier = Generation.objects.visible_to(self.person).filter(pk=again[0], adapter__community=self.community)
            initial = next((_chosen_again(one) for one in earlier), {})
        return self._page(TryForm(adapters=self._adapters(), initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask both models."""
        form = TryForm(request.POST, adapters=self._adapters())
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            generation = request_generation(person=self.person, now=self.now, **form.request)
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
            "has_more": bool({"beside", "temperature", "seed"} & set(form.errors)) or "again" in self.request.GET,
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
        generation: Generation = get_object_or_404(
            mine.select_related("adapter__run__release__project", "beside__run__release"), pk=pk
        )
        return generation


class LicenceForm(forms.Form):
    """The terms on which somebody gives a sentence of their own."""

    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200)


class GenerationView(OneGeneration):
    """Both answers side by side; they fill while they are written."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Read them."""
        return self.page(self.generation(pk), LicenceForm())

    def page(
        self, generation: Generation, form: LicenceForm, *, status: int = 200, refusal: Refusal | None = None
    ) -> HttpResponse:
        """Both texts, and which words the adapter's hangs on, if that was asked; stewards may make a task of it."""
        explanation = Explanation.objects.filter(generation=generation).first()
        context = {
            "community": self.community,
            "generation": generation,
            "project": generation.adapter.run.release.project,
            "is_over": generation.state in ENDED,
            "form": form if has_role(self.person, self.community, Role.STEWARD) else None,
            "explanation": explanation,
            "shades": shades_of(explanation) if explanation else [],
            "refusal": refusal,
        }
        return render(self.request, "public/playground_generation.html", context, status=status)


class TaskView(GenerationView):
    """Making a task of a sentence on which the models failed."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("public:generation", slug=self.community.slug, pk=self.generation(pk).pk)

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Let the project ask people about it."""
        generation, form = self.generation(pk), LicenceForm(request.POST)
        if not form.is_valid():
            return self.page(generation, form, status=422)
        try:
            made = make_task(generation=generation, made_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self.page(generation, form, status=show_refusal(form, refusal))
        told = _("Speakers are asked about this sentence now.") if made else _("Speakers are asked about it already.")
        messages.success(request, told)
        return redirect("public:generation", slug=self.community.slug, pk=generation.pk)


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
            return self.page(generation, LicenceForm(), status=refusal.status, refusal=refusal)
        return redirect("public:generation", slug=self.community.slug, pk=generation.pk)


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

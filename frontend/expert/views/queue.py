"""The queue, and the decisions of late."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.answers.models import Answer
from annotation.conflicts.models import Adjudication
from frontend.expert.views.desk import ExpertView

RECENT = 20
PAGE_SIZE = 20


class QueueView(ExpertView):
    """What waits for an expert, and what was decided lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The conflicts, those first whose decision is worth most."""
        form, chosen = self.filtered()
        page = Paginator(chosen, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "form": form,
            "is_chosen": any(form.chosen().values()),
            "number": len(chosen),
            "page": page,
            "rows": [(conflict, self.address_of(conflict)) for conflict in page],
            "own": self.readable().disputed().filter(author=self.person).count(),
            "away": self._away(),
            "decisions": self._decisions(),
            "is_expert": self.is_expert,
        }
        return render(request, "expert/queue.html", context)

    def _away(self) -> list[Answer]:
        """Answers that were sent back and are still with their authors."""
        away = self.readable().filter(state=Answer.State.RETURNED).not_touching(self.person)
        return list(away.select_related("task__item", "task__project").order_by("settled_at")[:RECENT])

    def _decisions(self) -> list[dict[str, Any]]:
        """The latest decisions, with their words where they may still be read."""
        latest = list(
            Adjudication.objects.visible_to(self.person)
            .filter(answer__task__project__community=self.community)
            .select_related("answer__task__item", "answer__task__project", "correction", "expert")[:RECENT]
        )
        wanted = {pk for row in latest for pk in (row.answer_id, row.correction_id) if pk}
        readable = set(self.readable().filter(pk__in=wanted).values_list("pk", flat=True))
        return [
            {
                "row": row,
                "answer": row.answer if row.answer_id in readable else None,
                "correction": row.correction if row.correction_id in readable else None,
            }
            for row in latest
        ]

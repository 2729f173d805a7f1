"""Addresses of the expert's desk, under /c/<slug>/decide/."""

from __future__ import annotations

from django.urls import include, path

from frontend.expert.views import agreement, conflict, queue, settled

app_name = "expert"

urlpatterns = [
    path("", queue.QueueView.as_view(), name="queue"),
    path("consistency/", include("frontend.expert.consistency_urls")),
    path("settled/", settled.SettledView.as_view(), name="settled"),
    path("agreement/", agreement.AgreementView.as_view(), name="agreement"),
    path("agreement/<int:pk>/", agreement.AgreementView.as_view(), name="agreement_of"),
    path("<uuid:pk>/", conflict.ConflictView.as_view(), name="answer"),
    path("<uuid:pk>/discuss/", conflict.DiscussView.as_view(), name="discuss"),
    path("<uuid:pk>/example/", conflict.ExampleView.as_view(), name="example"),
    path("<uuid:pk>/reopen/", conflict.ReopenView.as_view(), name="reopen"),
]

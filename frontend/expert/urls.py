"""Addresses of the expert's desk, under /c/<slug>/decide/."""

from __future__ import annotations

from django.urls import include, path

from frontend.expert import views

app_name = "expert"

urlpatterns = [
    path("", views.QueueView.as_view(), name="queue"),
    path("consistency/", include("frontend.expert.consistency_urls")),
    path("settled/", views.SettledView.as_view(), name="settled"),
    path("<uuid:pk>/", views.AnswerView.as_view(), name="answer"),
]

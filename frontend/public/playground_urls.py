"""Addresses of the playground, under /c/<slug>/try/."""

from __future__ import annotations

from django.urls import path

from frontend.public import playground

urlpatterns = [
    path("", playground.PlaygroundView.as_view(), name="playground"),
    path("<uuid:pk>/task/", playground.TaskView.as_view(), name="generation_task"),
    path("<uuid:pk>/", playground.GenerationView.as_view(), name="generation"),
    path("<uuid:pk>/stream/", playground.StreamView.as_view(), name="stream"),
    path("<uuid:pk>/why/", playground.ExplainView.as_view(), name="explain"),
]

"""Addresses of the expert's desk, under /c/<slug>/decide/."""

from __future__ import annotations

from django.urls import path

from frontend.expert import views
from frontend.expert.agreement import AgreementView

app_name = "expert"

urlpatterns = [
    path("", views.QueueView.as_view(), name="queue"),
    path("settled/", views.SettledView.as_view(), name="settled"),
    path("agreement/", AgreementView.as_view(), name="agreement"),
    path("agreement/<int:pk>/", AgreementView.as_view(), name="agreement_of"),
    path("<uuid:pk>/", views.AnswerView.as_view(), name="answer"),
]

"""Addresses of what is looked over, under /c/<slug>/decide/consistency/."""

from __future__ import annotations

from django.urls import path

from frontend.expert.views import consistency, suspects

urlpatterns = [
    path("", consistency.ScansView.as_view(), name="scans"),
    path("groups/<int:pk>/", consistency.GroupView.as_view(), name="group"),
    path("batches/<int:pk>/", consistency.BatchView.as_view(), name="batch"),
    path("suspects/<int:pk>/", suspects.SuspectsView.as_view(), name="suspects"),
]

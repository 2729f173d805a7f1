"""Addresses of the stewards' desk, under /c/<slug>/steward/."""

from __future__ import annotations

from django.urls import path

from frontend.steward.views import adapters, checks, consent, corpus, home, members, projects

app_name = "steward"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("corpus/", corpus.CorpusView.as_view(), name="corpus"),
    path("corpus/packaged/", corpus.PackagedView.as_view(), name="packaged"),
    path("corpus/imports/<int:pk>/", corpus.ImportView.as_view(), name="import"),
    path("projects/new/", projects.ChooseKindView.as_view(), name="open_project"),
    path("projects/new/<slug:kind>/", projects.OpenView.as_view(), name="open_project_of"),
    path("projects/<int:pk>/", projects.ProjectView.as_view(), name="project"),
    path("projects/<int:pk>/state/", projects.StateView.as_view(), name="project_state"),
    path("members/", members.MembersView.as_view(), name="members"),
    path("members/grant/", members.GrantView.as_view(), name="grant"),
    path("members/invite/", members.InviteView.as_view(), name="invite"),
    path("members/<int:pk>/end/", members.EndView.as_view(), name="end"),
    path("checks/", checks.ChecksView.as_view(), name="checks"),
    path("checks/<int:pk>/", checks.CheckerView.as_view(), name="checker"),
    path("consent/", consent.ConsentView.as_view(), name="consent"),
    path("consent/<int:version>/", consent.VersionView.as_view(), name="consent_version"),
    path("adapters/", adapters.AdaptersView.as_view(), name="adapters"),
    path("adapters/<int:pk>/", adapters.AdapterView.as_view(), name="adapter"),
    path("record/", home.RecordView.as_view(), name="record"),
]

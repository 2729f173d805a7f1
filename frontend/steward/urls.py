"""Addresses of the stewards' desk, under /c/<slug>/steward/."""

from __future__ import annotations

from django.urls import path

from frontend.steward.views import (
    adapters,
    checkers,
    checks,
    consent,
    corpus,
    governing,
    home,
    language,
    members,
    projects,
    proposals,
    restrictions,
    rules,
    withdrawals,
)

app_name = "steward"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("waiting/", proposals.InboxView.as_view(), name="inbox"),
    path("proposals/new/", proposals.ProposeView.as_view(), name="propose"),
    path("proposals/<int:pk>/", proposals.ProposalView.as_view(), name="proposal"),
    path("governing/", governing.GoverningView.as_view(), name="governing"),
    path("governing/delegation/", governing.DelegationView.as_view(), name="delegation"),
    path("corpus/", corpus.CorpusView.as_view(), name="corpus"),
    path("corpus/packaged/", corpus.PackagedView.as_view(), name="packaged"),
    path("corpus/pictures/", corpus.PicturesView.as_view(), name="pictures"),
    path("corpus/imports/<int:pk>/", corpus.ImportView.as_view(), name="import"),
    path("projects/new/", projects.ChooseKindView.as_view(), name="open_project"),
    path("projects/new/<slug:kind>/", projects.OpenView.as_view(), name="open_project_of"),
    path("projects/<int:pk>/", projects.ProjectView.as_view(), name="project"),
    path("projects/<int:pk>/state/", projects.StateView.as_view(), name="project_state"),
    path("projects/<int:pk>/rule/", rules.ProjectRuleView.as_view(), name="project_rule"),
    path("rule/", rules.CommunityRuleView.as_view(), name="rule"),
    path("rule/names/", rules.NamesView.as_view(), name="names"),
    path("projects/<int:pk>/judge/", projects.JudgeView.as_view(), name="judge"),
    path("projects/<int:pk>/checks/", checks.ChecksView.as_view(), name="project_checks"),
    path("members/", members.MembersView.as_view(), name="members"),
    path("members/grant/", members.GrantView.as_view(), name="grant"),
    path("members/invite/", members.InviteView.as_view(), name="invite"),
    path("members/<int:pk>/end/", members.EndView.as_view(), name="end"),
    path("language/", language.LanguageView.as_view(), name="language"),
    path("language/writing/", language.OrthographyView.as_view(), name="orthography"),
    path("language/variety/", language.VarietyView.as_view(), name="variety"),
    path("language/font/", language.FontView.as_view(), name="font"),
    path("language/words/", language.OwnWordsView.as_view(), name="own_words"),
    path("checks/", checkers.ChecksView.as_view(), name="checks"),
    path("checks/<int:pk>/", checkers.CheckerView.as_view(), name="checker"),
    path("consent/", consent.ConsentView.as_view(), name="consent"),
    path("consent/<int:version>/", consent.VersionView.as_view(), name="consent_version"),
    path("adapters/", adapters.AdaptersView.as_view(), name="adapters"),
    path("adapters/<int:pk>/", adapters.AdapterView.as_view(), name="adapter"),
    path("adapters/<int:pk>/suggest/", adapters.SuggestView.as_view(), name="suggest"),
    path("adapters/<int:pk>/end/", withdrawals.EndAdapterView.as_view(), name="end_adapter"),
    path("withdrawals/", withdrawals.WithdrawalsView.as_view(), name="withdrawals"),
    path("holds/", restrictions.RestrictionsView.as_view(), name="restrictions"),
    path("holds/<int:pk>/lift/", restrictions.LiftView.as_view(), name="lift"),
    path("record/", home.RecordView.as_view(), name="record"),
    path("record/file/", home.RecordFileView.as_view(), name="record_file"),
    path("record/checkpoint/", home.CheckpointView.as_view(), name="record_checkpoint"),
]

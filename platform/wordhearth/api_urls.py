"""The API root: /api/v1/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from annotation.answers.api import AnswerViewSet, SuggestionsView
from annotation.conflicts.api import DisputeViewSet
from annotation.corpora.api import ImportViewSet, PictureView, SourceViewSet
from annotation.guard.api import StandingViewSet
from annotation.projects.api import AssignmentViewSet, ProjectViewSet
from care.ages_api import AgeViewSet
from care.agreements_api import AgreementViewSet
from care.api import PolicyViewSet
from care.deciding_api import DecisionViewSet, ProposalViewSet
from people.api import AccountView, CommunityViewSet, TokenView
from training.lineage.api import DataView, EverythingView, HarmReportViewSet, WithdrawalViewSet
from training.mining.api import TrialViewSet
from training.playground.api import GenerationViewSet
from training.releases.api import AgreementDownloadView, ReleaseViewSet
from training.runs.additions_api import AdditionViewSet
from training.runs.api import (
    AdapterViewSet,
    ConsentViewSet,
    RunViewSet,
    ScheduleOutlookView,
    ScheduleView,
    WithdrawAnswerView,
    WithdrawConsentView,
)
from training.runs.grid_api import GridViewSet

router = DefaultRouter(use_regex_path=False)
# One address for each thing: the form of an answer is asked for with `Accept`, not with `.json` at the end.
router.include_format_suffixes = False
for prefix, viewset in {
    "communities": CommunityViewSet,
    "policies": PolicyViewSet,
    "receipts": ConsentViewSet,
    "proposals": ProposalViewSet,
    "decisions": DecisionViewSet,
    "agreements": AgreementViewSet,
    "ages": AgeViewSet,
    "reports": HarmReportViewSet,
    "withdrawals": WithdrawalViewSet,
    "sources": SourceViewSet,
    "imports": ImportViewSet,
    "projects": ProjectViewSet,
    "assignments": AssignmentViewSet,
    "answers": AnswerViewSet,
    "disputes": DisputeViewSet,
    "standings": StandingViewSet,
    "releases": ReleaseViewSet,
    "runs": RunViewSet,
    "grids": GridViewSet,
    "additions": AdditionViewSet,
    "adapters": AdapterViewSet,
    "generations": GenerationViewSet,
    "trials": TrialViewSet,
}.items():
    router.register(prefix, viewset, basename=f"api-{prefix}")

urlpatterns = [
    path("accounts/", AccountView.as_view(), name="api-accounts"),
    path("token/", TokenView.as_view(), name="api-token"),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("projects/<int:pk>/suggestions/", SuggestionsView.as_view(), name="api-suggestions"),
    path("pictures/<str:sha256>/", PictureView.as_view(), name="api-picture"),
    path("answers/<uuid:pk>/withdraw/", WithdrawAnswerView.as_view(), name="api-answer-withdraw"),
    path("agreements/<int:pk>/releases/<int:number>/", AgreementDownloadView.as_view(), name="api-agreement-download"),
    path("consent/withdraw/", WithdrawConsentView.as_view(), name="api-consent-withdraw"),
    path("me/", DataView.as_view(), name="api-me"),
    path("me/everything/", EverythingView.as_view(), name="api-me-everything"),
    path("projects/<int:pk>/schedule/", ScheduleView.as_view(), name="api-schedule"),
    path("projects/<int:pk>/schedule/outlook/", ScheduleOutlookView.as_view(), name="api-schedule-outlook"),
    path("", include(router.urls)),
]

"""Addresses of the speaker's desk, under /c/<slug>/speak/."""

from __future__ import annotations

from django.urls import path

from frontend.speaker.views import consent, home, review, translate, words

app_name = "speaker"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("consent/", consent.ConsentView.as_view(), name="consent"),
    path("consent/withdraw/", consent.WithdrawConsentView.as_view(), name="withdraw_consent"),
    path("translate/<int:pk>/", translate.TranslateView.as_view(), name="translate"),
    path("skip/<int:pk>/", translate.SkipView.as_view(), name="skip"),
    path("skip/<int:pk>/undo/", translate.UndoSkipView.as_view(), name="undo_skip"),
    path("review/<int:pk>/", review.ReviewView.as_view(), name="review"),
    path("words/", words.WordsView.as_view(), name="words"),
    path("words/<uuid:pk>/", words.EditView.as_view(), name="edit"),
    path("words/<uuid:pk>/withdraw/", words.WithdrawAnswerView.as_view(), name="withdraw_answer"),
]

"""Addresses of the speaker's desk, under /c/<slug>/speak/."""

from __future__ import annotations

from django.urls import path

from frontend.speaker.views import age, consent, home, packet, play, profile, review, words, work

app_name = "speaker"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("profile/", profile.ProfileView.as_view(), name="profile"),
    path("play/", play.PlayView.as_view(), name="play"),
    path("impact/", play.ImpactView.as_view(), name="impact"),
    path("next/", home.NextView.as_view(), name="next"),
    path("age/", age.AgeView.as_view(), name="age"),
    path("consent/", consent.ConsentView.as_view(), name="consent"),
    path("consent/rendering/", consent.RenderingView.as_view(), name="rendering"),
    path("consent/receipts/<uuid:pk>/", consent.ReceiptView.as_view(), name="receipt"),
    path("consent/withdraw/", consent.WithdrawConsentView.as_view(), name="withdraw_consent"),
    path("work/<int:pk>/", work.WorkView.as_view(), name="work"),
    path("take/<int:pk>/", packet.TakeView.as_view(), name="take"),
    path("packet/<int:pk>/", packet.PacketView.as_view(), name="packet"),
    path("packet/<int:pk>/back/", packet.GiveBackView.as_view(), name="give_back"),
    path("picture/<str:sha256>/", work.PictureView.as_view(), name="picture"),
    path("skip/<int:pk>/", work.SkipView.as_view(), name="skip"),
    path("skip/<int:pk>/undo/", work.UndoSkipView.as_view(), name="undo_skip"),
    path("review/<int:pk>/", review.ReviewView.as_view(), name="review"),
    path("words/", words.WordsView.as_view(), name="words"),
    path("words/<uuid:pk>/", words.EditView.as_view(), name="edit"),
    path("words/<uuid:pk>/appeal/", words.AppealView.as_view(), name="appeal"),
    path("words/<uuid:pk>/withdraw/", words.WithdrawAnswerView.as_view(), name="withdraw_answer"),
]

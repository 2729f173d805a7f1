"""Erasing: the words that I took back in a community, or my whole account."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from django.views.decorators.cache import never_cache

from annotation.answers.models import Answer
from care.models import AccountErasure
from frontend.desk import show_refusal
from frontend.me.views import MeView
from people.models import Community
from people.refusals import Refusal
from training.lineage.erasing import begin_erasure, erase_answers
from training.lineage.giving import erasable
from training.lineage.jobs import ring_erasing

SALT = "wordhearth.erasing"


class PasswordForm(forms.Form):
    """That it is really me."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Write your password, so that nobody else can do this.")},
    )


class EraseWordsView(MeView):
    """Erasing what I took back in one community."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Say what will happen before it does."""
        community = self._community(slug)
        number = erasable(self.person, community).count()
        return render(request, "me/erase_words.html", {"of": community, "number": number})

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Erase them."""
        words = list(erasable(self.person, self._community(slug)).values_list("pk", flat=True))
        number = erase_answers(answers=words, author=self.person, now=timezone.now())
        said = ngettext("%(number)d answer is erased for good.", "%(number)d answers are erased for good.", number)
        messages.success(request, said % {"number": number})
        return redirect("me:data")

    def _community(self, slug: str) -> Community:
        """The community, where the person has something to erase."""
        community = get_object_or_404(Community.objects.filter(receipts__person=self.person).distinct(), slug=slug)
        if not erasable(self.person, community).exists():
            raise Http404("No such page.")
        return community


class EraseAccountView(MeView):
    """Deleting the account and all that is kept about me."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Say what will happen before it does."""
        return self._page(PasswordForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Erase all of it, once the password is right."""
        form = PasswordForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        if not self.person.check_password(form.cleaned_data["password"]):
            form.add_error("password", _("This is not your password."))
            return self._page(form, status=422)
        try:
            erasure = begin_erasure(person=self.person, now=timezone.now())
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        ring_erasing()
        logout(request)
        return redirect("me:erasing", token=token_of(erasure))

    def _page(self, form: forms.Form, *, status: int = 200) -> HttpResponse:
        number = Answer.objects.filter(author=self.person).exclude(text="", payload={}).count()
        return render(self.request, "me/erase_account.html", {"form": form, "number": number}, status=status)


def token_of(erasure: AccountErasure) -> str:
    """For an address that nobody can make up, and that names nobody."""
    return Signer(salt=SALT).sign_object(erasure.pk)


@method_decorator(never_cache, name="dispatch")
class ErasingView(View):
    """How far the erasing of an account is, for whoever holds its address; there is nobody left to sign in."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Numbers alone."""
        try:
            pk = Signer(salt=SALT).unsign_object(token)
        except (BadSignature, ValueError) as error:
            raise Http404("No such page.") from error
        erasure = get_object_or_404(AccountErasure, pk=pk)
        return render(request, "me/erasing.html", {"erasure": erasure})

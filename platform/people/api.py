"""API of accounts and communities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from allauth.account.forms import SignupForm
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, permissions, serializers, status, views, viewsets
from rest_framework.authtoken.models import Token
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from people.models import Community, Membership, Orthography, Person, Role, Variety
from people.services import (
    accept_invitation,
    add_member,
    found_community,
    invite,
    join_open_community,
    require_role,
)
from people.tenants import widen


def person_of(request: Request) -> Person:
    """The signed-in account; the API's default permission has refused everybody else."""
    return cast(Person, request.user)


def all_of(rows: QuerySet[Any], keys: Iterable[Any], field: str) -> list[Any]:
    """The rows with these keys. One that is missing refuses the whole, on the field that named it."""
    wanted = list(dict.fromkeys(keys))
    found = rows.in_bulk(wanted)
    if missing := [str(key) for key in wanted if key not in found]:
        why = f"There is no such thing, or you may not see it: {', '.join(missing)}."
        raise serializers.ValidationError({field: [why]})
    return [found[key] for key in wanted]


class TokenView(ObtainAuthToken):
    """Exchange a username and a password for a token: `Authorization: Token ...`."""

    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "sign-in"


class NewAccountSerializer(serializers.Serializer[Any]):
    """A username and a password; no e-mail address is asked for."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class MadeTokenSerializer(serializers.Serializer[Any]):
    """What signing in returns, too."""

    token = serializers.CharField(read_only=True)


class AccountView(views.APIView):
    """Make an account."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "sign-in"

    @extend_schema(request=NewAccountSerializer, responses={201: MadeTokenSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        """Make it, by the rules of the site's own form, and sign in: `Authorization: Token ...`."""
        given = NewAccountSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        username, password = given.validated_data["username"], given.validated_data["password"]
        form = SignupForm({"username": username, "password1": password, "password2": password})
        if not form.is_valid():
            named = {"password1": "password"}
            raise serializers.ValidationError({named.get(name, name): list(said) for name, said in form.errors.items()})
        token, _ = Token.objects.get_or_create(user=form.save(request._request))
        return Response({"token": token.key}, status=status.HTTP_201_CREATED)


class VarietySerializer(serializers.ModelSerializer[Variety]):
    """A variety with its codes."""

    class Meta:
        model = Variety
        fields = ["code", "name", "iso_639_3", "glottocode"]


class OrthographySerializer(serializers.ModelSerializer[Orthography]):
    """A way of writing, with its row of characters."""

    class Meta:
        model = Orthography
        fields = ["name", "script", "characters"]


class CommunitySerializer(serializers.ModelSerializer[Community]):
    """A language community."""

    varieties = VarietySerializer(many=True, required=False)
    orthographies = OrthographySerializer(many=True, required=False)
    my_roles = serializers.SerializerMethodField()

    class Meta:
        model = Community
        fields = [
            "slug",
            "name",
            "language_name",
            "language_tag",
            "iso_639_3",
            "glottocode",
            "script",
            "direction",
            "about",
            "is_open",
            "is_demo",
            "varieties",
            "orthographies",
            "my_roles",
        ]
        read_only_fields = ["is_demo"]

    def get_my_roles(self, community: Community) -> list[str]:
        """Roles that the asking person holds there."""
        live = Membership.objects.live().filter(community=community, person=self.context["request"].user)
        return list(live.values_list("role", flat=True))


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """One role of one person."""

    username = serializers.CharField(source="person.username")

    class Meta:
        model = Membership
        fields = ["id", "username", "role", "since"]
        read_only_fields = ["id", "since"]


class InvitationSerializer(serializers.Serializer[Any]):
    """An invitation to make: the role, and how many people may use the link."""

    role = serializers.ChoiceField(choices=Role.choices)
    uses = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    secret = serializers.CharField(read_only=True)


class SecretSerializer(serializers.Serializer[Any]):
    """The secret part of an invitation link."""

    secret = serializers.CharField(max_length=100)


class CommunityViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Community]):
    """Communities you are a member of, and those anyone may join."""

    serializer_class = CommunitySerializer
    queryset = Community.objects.none()
    lookup_field = "slug"
    lookup_value_converter = "slug"
    cursor_ordering = "slug"

    def get_queryset(self) -> QuerySet[Community]:
        """One's own communities and the joinable ones."""
        if getattr(self, "swagger_fake_view", False):
            return Community.objects.none()
        mine = Community.objects.visible_to(person_of(self.request)).values("pk")
        # Whoever may join may read how the language is spoken and written there.
        widen(*Community.objects.joinable().values_list("pk", flat=True))
        return Community.objects.filter(Q(pk__in=mine) | Q(is_open=True)).prefetch_related("varieties", "orthographies")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Found a community; you become its first steward."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        community = found_community(founder=person_of(request), now=timezone.now(), **serializer.validated_data)
        return Response(self.get_serializer(community).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def join(self, request: Request, slug: str) -> Response:
        """Join an open community as a speaker."""
        member = join_open_community(person=person_of(request), community=self.get_object(), now=timezone.now())
        return Response(MembershipSerializer(member).data)

    @extend_schema(request=SecretSerializer, responses=MembershipSerializer)
    @action(detail=False, methods=["post"], url_path="accept-invitation")
    def accept_invitation(self, request: Request) -> Response:
        """Join with an invitation."""
        given = SecretSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = accept_invitation(person=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(MembershipSerializer(member).data)

    @extend_schema(request=InvitationSerializer, responses={201: InvitationSerializer})
    @action(detail=True, methods=["post"])
    def invitations(self, request: Request, slug: str) -> Response:
        """Make an invitation; its secret is shown this once."""
        given = InvitationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        secret = invite(
            community=self.get_object(),
            invited_by=person_of(request),
            now=timezone.now(),
            **given.validated_data,
        )
        return Response({**given.validated_data, "secret": secret}, status=status.HTTP_201_CREATED)

    @extend_schema(methods=["get"], responses=MembershipSerializer(many=True))
    @extend_schema(methods=["post"], request=MembershipSerializer, responses={201: MembershipSerializer})
    @action(detail=True, methods=["get", "post"], cursor_ordering="pk")
    def members(self, request: Request, slug: str) -> Response:
        """Live memberships; a steward adds one by username."""
        community, person = self.get_object(), person_of(request)
        require_role(person, community, Role.STEWARD)
        if request.method == "POST":
            given = MembershipSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            new = get_object_or_404(Person, username=given.validated_data["person"]["username"], is_active=True)
            member = add_member(
                person=new,
                community=community,
                role=given.validated_data["role"],
                added_by=person,
                now=timezone.now(),
            )
            return Response(MembershipSerializer(member).data, status=status.HTTP_201_CREATED)
        rows = Membership.objects.live().filter(community=community).select_related("person")
        return self.get_paginated_response(MembershipSerializer(self.paginate_queryset(rows), many=True).data)

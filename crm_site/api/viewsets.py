"""Bases of the API's resources."""

from collections.abc import Callable
from typing import Any

from django.db import models
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm_site.access.services import limit_to_grants
from crm_site.api import idempotency
from crm_site.api.idempotency import AlreadyAnsweredError
from crm_site.api.models import KeptAnswer
from crm_site.audit.actor import Actor


def list_action(**kwargs: Any) -> Callable[[Any], Any]:
    """``@action`` on one row that answers a page of others, by ``answer_page``."""

    def mark(method: Any) -> Any:
        method.answers_page = True
        return action(detail=True, **kwargs)(method)

    return mark


class TenantViewSet(GenericViewSet):
    """A resource over one model of the tenant in scope.

    A subclass names ``model``, ``scope`` ("customers": keys need ``customers:read`` or
    ``customers:write``), ``permission_model`` ("customers.customerprofile"), a serializer, and for
    lists ``filterset_class``, ``ordering`` and ``ordering_fields`` (model fields, in Python).
    ``@list_action(serializer_class=…, ordering=…)`` sets them anew for a list within.
    """

    model: type[models.Model]
    scope: str = ""
    permission_model: str = ""
    action_permissions: dict[str, str] = {}
    read_actions: tuple[str, ...] = ()
    kept_answer: KeptAnswer | None = None
    filterset_class: Any = None
    ordering = "-created_at"
    ordering_fields: tuple[str, ...] = ("created_at",)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # The schema is made in nobody's scope.
            return self.model.all_tenants.none()  # type: ignore[attr-defined]
        rows = self.model.objects.all()  # type: ignore[attr-defined]
        return limit_to_grants(rows, self.request.user)

    def get_object(self) -> Any:
        # Filters belong to lists, so they do not apply to a single row.
        row = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, row)
        return row

    @property
    def actor(self) -> Actor:
        if getattr(self, "swagger_fake_view", False):
            return Actor.system("schema")
        return Actor.from_request(self.request._request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            self.kept_answer = idempotency.claim(request)

    def check_permissions(self, request: Request) -> None:
        if self.action is None and request.user.is_authenticated:
            raise MethodNotAllowed(request.method or "")  # No scope would help.
        super().check_permissions(request)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, AlreadyAnsweredError):
            return exc.response()
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kw: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kw)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.kept_answer is not None and not request._request.must_roll_back:  # type: ignore[attr-defined]
            idempotency.keep(self.kept_answer, response.render())
        return response

    def answer_page(self, rows: Any) -> Response:
        """A page of ``rows``, filtered and ordered as this action says."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def read_body(self, *, serializer_class: Any = None, **kwargs: Any) -> Any:
        """The validated values of the body. Raises ValidationError with a path per fault."""
        chosen = serializer_class or self.get_serializer_class()
        body = chosen(data=self.request.data, context=self.get_serializer_context(), **kwargs)
        body.is_valid(raise_exception=True)
        return body.validated_data


class CreateMixin:
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.create_row(self.read_body())  # type: ignore[attr-defined]
        return Response(self.get_serializer(row).data, status=201)  # type: ignore[attr-defined]

    def create_row(self, values: dict[str, Any]) -> models.Model:
        """Call the service that makes one; returns it."""
        raise NotImplementedError


class ChangeMixin:
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(partial=False)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(partial=True)

    def _change(self, *, partial: bool) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]
        values = self.read_body(instance=row, partial=partial)  # type: ignore[attr-defined]
        return Response(self.get_serializer(self.change_row(row, values)).data)  # type: ignore[attr-defined]

    def change_row(self, row: Any, values: dict[str, Any]) -> models.Model:
        """Call the service that changes it; returns it as it is now."""
        raise NotImplementedError


class DeleteMixin:
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.delete_row(self.get_object())  # type: ignore[attr-defined]
        return Response(status=204)

    def delete_row(self, row: Any) -> None:
        """Call the service that takes it away."""
        raise NotImplementedError


class TenantReadOnlyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """List and read."""


class TenantCreateOnlyViewSet(CreateMixin, TenantReadOnlyViewSet):
    """List, read and create; rows are never changed."""


class TenantModelViewSet(CreateMixin, ChangeMixin, DeleteMixin, TenantReadOnlyViewSet):
    """List, read, create, change and delete."""

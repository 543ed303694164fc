"""Merging two customers and undoing it, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.fields import IdField
from crm_site.api.serializers import StrictSerializer
from crm_site.db.names import camel_case
from customers.api.serializers import CustomerSerializer
from customers.models import CustomerProfile
from customers.services.duplicates import merge_pair
from customers.services.merge_fields import CHOOSABLE, UNITED
from customers.services.merging import merge_profiles
from customers.services.unmerging import Unmerged, unmerge_profiles

_CHOOSABLE = {camel_case(name): name for name in CHOOSABLE}
SIDES = ("survivor", "absorbed")


class PicksField(serializers.DictField):
    """Whose value stays, by the JSON name of the field: ``survivor`` or ``absorbed``; for tags and
    external ids also ``both``."""

    child = serializers.ChoiceField(choices=[*SIDES, "both"])

    def to_internal_value(self, data: Any) -> dict[str, str]:
        picks = super().to_internal_value(data)
        faults: dict[str, Any] = {}
        for name, side in picks.items():
            if name not in _CHOOSABLE:
                faults[name] = [ErrorDetail("This is no field to choose.", code="unknown_field")]
            elif side == "both" and _CHOOSABLE[name] not in UNITED:
                message = "Choose survivor or absorbed: an address not chosen is kept as an alias."
                faults[name] = [ErrorDetail(message, code="invalid_choice")]
        if faults:
            raise serializers.ValidationError(faults)
        return {_CHOOSABLE[name]: side for name, side in picks.items()}


class MergeSerializer(StrictSerializer):
    """Who is folded into the customer of the address."""

    absorb = IdField()
    picks = PicksField(required=False, default=dict)


class PairMergeSerializer(StrictSerializer):
    """Which of the pair stays: ``a`` is ``profileAId``."""

    keep = serializers.ChoiceField(choices=["a", "b"])
    picks = PicksField(required=False, default=dict)


class UnmergeSerializer(StrictSerializer):
    mergeId = IdField(source="merge_id")


class MergedSerializer(serializers.Serializer):
    mergeId = serializers.UUIDField()
    customer = CustomerSerializer()


class UnmergedSerializer(MergedSerializer):
    """Both customers, and what is not as it was before the merge, also in ``sentences``.

    ``stays`` counts rows that came since and stay with ``customer``; ``kept`` names its fields that
    changed since; ``notReturned`` names identifiers that somebody else has by now.
    """

    restored = CustomerSerializer()
    stays = serializers.DictField(child=serializers.IntegerField())
    kept = serializers.ListField(child=serializers.CharField())
    notReturned = serializers.ListField(child=serializers.CharField())
    sentences = serializers.ListField(child=serializers.CharField())


def answer_merged(merge_id: Any, customer_id: Any) -> Response:
    """The contract's answer to a merge, with the customer as the database has them."""
    customer = _read(customer_id)
    return Response(MergedSerializer({"mergeId": merge_id, "customer": customer}).data)


def _read(customer_id: Any) -> CustomerProfile:
    rows = CustomerProfile.objects.defer("search_vector")
    found: CustomerProfile = rows.get(pk=customer_id)
    return found


def _told(done: Unmerged) -> dict[str, Any]:
    return {
        "mergeId": done.merge.pk,
        "customer": _read(done.survivor.pk),
        "restored": _read(done.restored.pk),
        "stays": {each.kind: each.count for each in done.stays},
        "kept": [camel_case(name) for name in done.kept],
        "notReturned": [camel_case(name) for name in done.not_returned],
        "sentences": done.sentences,
    }


class MergeActions:
    """``merge`` and ``unmerge`` of the resource of customers."""

    @extend_schema(request=MergeSerializer, responses=MergedSerializer)
    @action(detail=True, methods=["post"])
    def merge(self: Any, request: Request, pk: str) -> Response:
        """Fold another customer into this one, keeping everything.

        Every row of the other moves here; its identifiers lead here. ``picks`` says for single
        fields whose value stays, the rest is decided by rule. ``mergeId`` undoes it for 90 days.
        """
        body = self.read_body(serializer_class=MergeSerializer)
        done = merge_profiles(
            survivor_id=self.get_object().pk,
            absorbed_id=body["absorb"],
            picks=body["picks"],
            actor=self.actor,
        )
        return answer_merged(done.merge.pk, done.survivor.pk)

    @extend_schema(request=UnmergeSerializer, responses=UnmergedSerializer)
    @action(detail=True, methods=["post"])
    def unmerge(self: Any, request: Request, pk: str) -> Response:
        """Undo a merge that this customer was one of: both as they were, with what moved.

        What happened since stays with the survivor and is told.
        """
        body = self.read_body(serializer_class=UnmergeSerializer)
        done = unmerge_profiles(
            merge_id=body["merge_id"], customer_id=self.get_object().pk, actor=self.actor
        )
        return Response(UnmergedSerializer(_told(done)).data)


class PairMergeActions:
    """``merge`` of the resource of possible duplicates."""

    @extend_schema(request=PairMergeSerializer, responses=MergedSerializer)
    @action(detail=True, methods=["post"])
    def merge(self: Any, request: Request, pk: str) -> Response:
        """Fold one of the two into the other, keeping everything."""
        body = self.read_body(serializer_class=PairMergeSerializer)
        done = merge_pair(pair=self.get_object(), actor=self.actor, **body)
        return answer_merged(done.merge.pk, done.survivor.pk)

"""Addresses under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from segments.api.views import CustomerSegmentsViewSet, SegmentTrialViewSet, SegmentViewSet

router = SimpleRouter()
router.register("segments", SegmentViewSet, basename="segment")
router.register("segment-trials", SegmentTrialViewSet, basename="segment-trial")

urlpatterns = [
    path(
        "customers/<uuid:pk>/segments/",
        CustomerSegmentsViewSet.as_view({"get": "list"}),
        name="customer-segments",
    ),
    *router.urls,
]

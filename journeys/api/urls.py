"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from journeys.api.views import JourneyViewSet

router = SimpleRouter()
router.register("journeys", JourneyViewSet, basename="journey")

urlpatterns = router.urls

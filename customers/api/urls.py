"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from customers.api.views import ActivityViewSet

router = SimpleRouter()
router.register("activities", ActivityViewSet, basename="activity")

urlpatterns = router.urls

"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from customers.api.views import ActivityViewSet, NoteViewSet

router = SimpleRouter()
router.register("activities", ActivityViewSet, basename="activity")
router.register("notes", NoteViewSet, basename="note")

urlpatterns = router.urls

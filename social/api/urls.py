"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from social.api.views import ConnectionViewSet, PostViewSet

router = SimpleRouter()
router.register("social/connections", ConnectionViewSet, basename="social-connection")
router.register("social/posts", PostViewSet, basename="social-post")

urlpatterns = router.urls

"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from campaigns.api.views import (
    CampaignInteractionViewSet,
    CampaignViewSet,
    EventPromotionViewSet,
)

router = SimpleRouter()
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("interactions", CampaignInteractionViewSet, basename="interaction")
router.register("promotions", EventPromotionViewSet, basename="promotion")

urlpatterns = router.urls

"""Why a customer's scores are what they are, as JSON."""

from rest_framework import serializers


class ScoreReasonSerializer(serializers.Serializer):
    """One part of a score; the points of all add up to it."""

    name = serializers.CharField()
    points = serializers.IntegerField()
    words = serializers.CharField()


class ScoreWeekSerializer(serializers.Serializer):
    """The scores at the end of a week in which one of them became another."""

    week = serializers.DateField()
    engagementScore = serializers.IntegerField(source="engagement")
    churnRiskScore = serializers.IntegerField(source="churn_risk", allow_null=True)
    predictedLtv = serializers.IntegerField(source="predicted_ltv", allow_null=True)


class ScoresSerializer(serializers.Serializer):
    """``churnRiskBy`` is MODEL or RULE; null where there is no risk. Money is in cents."""

    engagementScore = serializers.IntegerField(source="customer.engagement_score", allow_null=True)
    engagementReasons = ScoreReasonSerializer(source="why.engagement", many=True)
    churnRiskScore = serializers.IntegerField(source="customer.churn_risk_score", allow_null=True)
    churnRiskBy = serializers.CharField(source="why.churn_by", allow_null=True)
    churnRiskReasons = ScoreReasonSerializer(source="why.churn", many=True)
    predictedLtv = serializers.IntegerField(source="customer.predicted_ltv", allow_null=True)
    spentSoFar = serializers.IntegerField(source="why.spent_so_far", allow_null=True)
    spendingExpected = serializers.IntegerField(source="why.spending_expected", allow_null=True)
    history = ScoreWeekSerializer(many=True)

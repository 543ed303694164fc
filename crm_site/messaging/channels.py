"""The ways a message can reach somebody."""

from django.db import models


class Channel(models.TextChoices):
    EMAIL = "EMAIL", "E-mail"
    SMS = "SMS", "SMS"
    PUSH = "PUSH", "Push"
    WHATSAPP = "WHATSAPP", "WhatsApp"
    IN_APP = "IN_APP", "In the app"
    SOCIAL = "SOCIAL", "Social"

"""Fairway: the CRM and marketing back office for golf clubs."""

from crm_site.celery import app as celery_app

__all__ = ["celery_app"]

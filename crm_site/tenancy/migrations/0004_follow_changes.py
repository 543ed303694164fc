"""A club may keep its segments from following every change."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0003_call_a_tenant_club_settings'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='tenant',
            name='audit_row',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='tenant',
            name='audit_change',
        ),
        migrations.AddField(
            model_name='tenant',
            name='keeps_segments_current',
            field=models.BooleanField(default=True, help_text='Who changes joins or leaves segments within seconds. Off: at the next refresh.', verbose_name='segments follow every change'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tenant',
            trigger=pgtrigger.compiler.Trigger(name='audit_row', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM fairway_audit(TG_OP, \'Tenant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"name": "name", "time_zone": "timeZone", "currency": "currency", "country": "country", "is_active": "isActive", "is_sending_enabled": "isSendingEnabled", "keeps_segments_current": "keepsSegmentsCurrent", "quiet_hours_start": "quietHoursStart", "quiet_hours_end": "quietHoursEnd", "frequency_cap_count": "frequencyCapCount", "frequency_cap_days": "frequencyCapDays", "sync_payload_retention_days": "syncPayloadRetentionDays", "interaction_detail_retention_days": "interactionDetailRetentionDays", "membership_change_retention_days": "membershipChangeRetentionDays"}\'::jsonb, \'id\'); RETURN NULL;', hash='ac25186ad147b8d0dc198833baee123189cffcc2', operation='INSERT OR DELETE', pgid='pgtrigger_audit_row_52dfb', table='tenancy_tenant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tenant',
            trigger=pgtrigger.compiler.Trigger(name='audit_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."frequency_cap_count" IS DISTINCT FROM (NEW."frequency_cap_count") OR OLD."frequency_cap_days" IS DISTINCT FROM (NEW."frequency_cap_days") OR OLD."interaction_detail_retention_days" IS DISTINCT FROM (NEW."interaction_detail_retention_days") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_sending_enabled" IS DISTINCT FROM (NEW."is_sending_enabled") OR OLD."keeps_segments_current" IS DISTINCT FROM (NEW."keeps_segments_current") OR OLD."membership_change_retention_days" IS DISTINCT FROM (NEW."membership_change_retention_days") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."quiet_hours_end" IS DISTINCT FROM (NEW."quiet_hours_end") OR OLD."quiet_hours_start" IS DISTINCT FROM (NEW."quiet_hours_start") OR OLD."sync_payload_retention_days" IS DISTINCT FROM (NEW."sync_payload_retention_days") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone"))', func='PERFORM fairway_audit(TG_OP, \'Tenant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"name": "name", "time_zone": "timeZone", "currency": "currency", "country": "country", "is_active": "isActive", "is_sending_enabled": "isSendingEnabled", "keeps_segments_current": "keepsSegmentsCurrent", "quiet_hours_start": "quietHoursStart", "quiet_hours_end": "quietHoursEnd", "frequency_cap_count": "frequencyCapCount", "frequency_cap_days": "frequencyCapDays", "sync_payload_retention_days": "syncPayloadRetentionDays", "interaction_detail_retention_days": "interactionDetailRetentionDays", "membership_change_retention_days": "membershipChangeRetentionDays"}\'::jsonb, \'id\'); RETURN NULL;', hash='900acbe158980ae041e309686e70d1100164b5eb', operation='UPDATE', pgid='pgtrigger_audit_change_385a8', table='tenancy_tenant', when='AFTER')),
        ),
    ]

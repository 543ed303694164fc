"""Who opens nothing may be left out; sending may be switched off for the installation."""

import django.core.validators
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0004_follow_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('is_sending_enabled', models.BooleanField(default=True, help_text='Off: no club sends anything until it is on again.', verbose_name='sending switched on')),
                ('reason', models.CharField(blank=True, default='', help_text='Why it is off: every club reads it.', max_length=200)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'installation',
                'verbose_name_plural': 'installation',
            },
        ),
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
            name='unengaged_days',
            field=models.PositiveSmallIntegerField(default=90, help_text='… in so many days and opened none.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='within'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='unengaged_message_count',
            field=models.PositiveSmallIntegerField(blank=True, help_text='By e-mail, who was sent so many …; blank: nobody.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='leave out who opens nothing'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tenant',
            trigger=pgtrigger.compiler.Trigger(name='audit_row', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM fairway_audit(TG_OP, \'Tenant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"name": "name", "time_zone": "timeZone", "currency": "currency", "country": "country", "is_active": "isActive", "is_sending_enabled": "isSendingEnabled", "keeps_segments_current": "keepsSegmentsCurrent", "quiet_hours_start": "quietHoursStart", "quiet_hours_end": "quietHoursEnd", "frequency_cap_count": "frequencyCapCount", "frequency_cap_days": "frequencyCapDays", "unengaged_message_count": "unengagedMessageCount", "unengaged_days": "unengagedDays", "sync_payload_retention_days": "syncPayloadRetentionDays", "interaction_detail_retention_days": "interactionDetailRetentionDays", "membership_change_retention_days": "membershipChangeRetentionDays"}\'::jsonb, \'id\'); RETURN NULL;', hash='4ac08bef8a73cfa25ffc13b94b29fb2ac8a22007', operation='INSERT OR DELETE', pgid='pgtrigger_audit_row_52dfb', table='tenancy_tenant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tenant',
            trigger=pgtrigger.compiler.Trigger(name='audit_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."frequency_cap_count" IS DISTINCT FROM (NEW."frequency_cap_count") OR OLD."frequency_cap_days" IS DISTINCT FROM (NEW."frequency_cap_days") OR OLD."interaction_detail_retention_days" IS DISTINCT FROM (NEW."interaction_detail_retention_days") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_sending_enabled" IS DISTINCT FROM (NEW."is_sending_enabled") OR OLD."keeps_segments_current" IS DISTINCT FROM (NEW."keeps_segments_current") OR OLD."membership_change_retention_days" IS DISTINCT FROM (NEW."membership_change_retention_days") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."quiet_hours_end" IS DISTINCT FROM (NEW."quiet_hours_end") OR OLD."quiet_hours_start" IS DISTINCT FROM (NEW."quiet_hours_start") OR OLD."sync_payload_retention_days" IS DISTINCT FROM (NEW."sync_payload_retention_days") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."unengaged_days" IS DISTINCT FROM (NEW."unengaged_days") OR OLD."unengaged_message_count" IS DISTINCT FROM (NEW."unengaged_message_count"))', func='PERFORM fairway_audit(TG_OP, \'Tenant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"name": "name", "time_zone": "timeZone", "currency": "currency", "country": "country", "is_active": "isActive", "is_sending_enabled": "isSendingEnabled", "keeps_segments_current": "keepsSegmentsCurrent", "quiet_hours_start": "quietHoursStart", "quiet_hours_end": "quietHoursEnd", "frequency_cap_count": "frequencyCapCount", "frequency_cap_days": "frequencyCapDays", "unengaged_message_count": "unengagedMessageCount", "unengaged_days": "unengagedDays", "sync_payload_retention_days": "syncPayloadRetentionDays", "interaction_detail_retention_days": "interactionDetailRetentionDays", "membership_change_retention_days": "membershipChangeRetentionDays"}\'::jsonb, \'id\'); RETURN NULL;', hash='80c3b72ba74cebaac61b57b38f7ce5b9a7fc5a31', operation='UPDATE', pgid='pgtrigger_audit_change_385a8', table='tenancy_tenant', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='installation',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='installation_once'),
        ),
    ]

"""Tests of variants, hold-outs, quiet hours policy and pace; a channel's own cap."""

import crm_site.db.ids
import crm_site.tenancy.context
import django.core.validators
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0006_goals_and_results'),
        ('customers', '0018_duplicate_scans'),
        ('segments', '0007_word_the_id_at_messaging'),
        ('tenancy', '0005_sending_limits'),
    ]

    operations = [
        migrations.CreateModel(
            name='CampaignVariant',
            fields=[
                ('id', models.UUIDField(default=crm_site.db.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('name', models.CharField(max_length=50)),
                ('share', models.PositiveSmallIntegerField(help_text='Percent of the test group.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('email_template_id', models.CharField(blank=True, max_length=128, null=True, verbose_name='e-mail template')),
                ('sms_template_id', models.CharField(blank=True, max_length=128, null=True, verbose_name='SMS template')),
                ('push_template_id', models.CharField(blank=True, max_length=128, null=True, verbose_name='push template')),
                ('send_hour', models.PositiveSmallIntegerField(blank=True, help_text="Goes out at this hour by the clock of the campaign's zone; blank: at once.", null=True, validators=[django.core.validators.MaxValueValidator(23)])),
            ],
            options={
                'verbose_name': 'variant',
                'ordering': ['campaign', 'position'],
                'abstract': False,
                'base_manager_name': 'all_tenants',
                'default_manager_name': 'all_tenants',
            },
            managers=[
                ('all_tenants', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='FrequencyCap',
            fields=[
                ('id', models.UUIDField(default=crm_site.db.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('channel', models.CharField(choices=[('EMAIL', 'E-mail'), ('SMS', 'SMS'), ('PUSH', 'Push'), ('WHATSAPP', 'WhatsApp'), ('IN_APP', 'In the app'), ('SOCIAL', 'Social')], max_length=16)),
                ('messages', models.PositiveSmallIntegerField(blank=True, help_text='At most so many to a person …; blank: as many as there are.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('days', models.PositiveSmallIntegerField(default=7, help_text='… in so many days.', validators=[django.core.validators.MinValueValidator(1)])),
            ],
            options={
                'ordering': ['channel'],
                'abstract': False,
                'base_manager_name': 'all_tenants',
                'default_manager_name': 'all_tenants',
            },
            managers=[
                ('all_tenants', django.db.models.manager.Manager()),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='campaign',
            name='audit_row',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='campaign',
            name='audit_change',
        ),
        migrations.AddField(
            model_name='campaign',
            name='hold_out_percent',
            field=models.PositiveSmallIntegerField(default=0, help_text='Percent of the audience that never hears, to compare with; the same people each time it runs.', validators=[django.core.validators.MaxValueValidator(50)], verbose_name='hold-out'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='messages_per_hour',
            field=models.PositiveIntegerField(blank=True, help_text='At most so many an hour, evenly; blank: as fast as Messaging takes them.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='campaign',
            name='quiet_hours_policy',
            field=models.CharField(choices=[('WAIT', 'Wait until they are over'), ('SKIP', 'Leave that person out')], default='WAIT', help_text="By the clock of each person's own time zone.", max_length=8, verbose_name='in the quiet hours'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='test_hours',
            field=models.PositiveSmallIntegerField(default=4, help_text='Hours after the last variant went out; then the others get the winner.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(24)], verbose_name='decided after'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='test_metric',
            field=models.CharField(choices=[('OPENED', 'Opens'), ('CLICKED', 'Clicks'), ('CONVERTED', 'Conversions')], default='OPENED', max_length=16, verbose_name='winner by'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='test_percent',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Percent of the audience that gets the variants; blank: no test.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='test group'),
        ),
        migrations.AddField(
            model_name='campaignrun',
            name='decide_at',
            field=models.DateTimeField(blank=True, help_text='When the winner of its test is chosen.', null=True, verbose_name='test ends'),
        ),
        migrations.AddField(
            model_name='campaignrun',
            name='decided_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='campaignrun',
            name='next_claim_at',
            field=models.DateTimeField(blank=True, help_text='Where its campaign goes slowly: not before this moment.', null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaign',
            trigger=pgtrigger.compiler.Trigger(name='audit_row', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM fairway_audit(TG_OP, \'Campaign\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"deleted_at": "deletedAt", "club_id": "clubId", "name": "name", "description": "description", "type": "type", "status": "status", "segment_id": "segmentId", "channels": "channels", "scheduled_at": "scheduledAt", "started_at": "startedAt", "completed_at": "completedAt", "timezone": "timezone", "recur_pattern": "recurPattern", "recur_end_at": "recurEndAt", "email_template_id": "emailTemplateId", "sms_template_id": "smsTemplateId", "push_template_id": "pushTemplateId", "goal_activity_type": "goalActivityType", "goal_days": "goalDays", "goal_has_revenue": "goalHasRevenue", "quiet_hours_policy": "quietHoursPolicy", "messages_per_hour": "messagesPerHour", "hold_out_percent": "holdOutPercent", "test_percent": "testPercent", "test_metric": "testMetric", "test_hours": "testHours", "is_system": "isSystem", "created_by": "createdBy"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='7cd9d7916bf3bf2f8297b17093a3396e66b3566f', operation='INSERT OR DELETE', pgid='pgtrigger_audit_row_c3da1', table='campaigns_campaign', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaign',
            trigger=pgtrigger.compiler.Trigger(name='audit_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."channels" IS DISTINCT FROM (NEW."channels") OR OLD."club_id" IS DISTINCT FROM (NEW."club_id") OR OLD."completed_at" IS DISTINCT FROM (NEW."completed_at") OR OLD."created_by" IS DISTINCT FROM (NEW."created_by") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."email_template_id" IS DISTINCT FROM (NEW."email_template_id") OR OLD."goal_activity_type" IS DISTINCT FROM (NEW."goal_activity_type") OR OLD."goal_days" IS DISTINCT FROM (NEW."goal_days") OR OLD."goal_has_revenue" IS DISTINCT FROM (NEW."goal_has_revenue") OR OLD."hold_out_percent" IS DISTINCT FROM (NEW."hold_out_percent") OR OLD."is_system" IS DISTINCT FROM (NEW."is_system") OR OLD."messages_per_hour" IS DISTINCT FROM (NEW."messages_per_hour") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."push_template_id" IS DISTINCT FROM (NEW."push_template_id") OR OLD."quiet_hours_policy" IS DISTINCT FROM (NEW."quiet_hours_policy") OR OLD."recur_end_at" IS DISTINCT FROM (NEW."recur_end_at") OR OLD."recur_pattern" IS DISTINCT FROM (NEW."recur_pattern") OR OLD."scheduled_at" IS DISTINCT FROM (NEW."scheduled_at") OR OLD."segment_id" IS DISTINCT FROM (NEW."segment_id") OR OLD."sms_template_id" IS DISTINCT FROM (NEW."sms_template_id") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."test_hours" IS DISTINCT FROM (NEW."test_hours") OR OLD."test_metric" IS DISTINCT FROM (NEW."test_metric") OR OLD."test_percent" IS DISTINCT FROM (NEW."test_percent") OR OLD."timezone" IS DISTINCT FROM (NEW."timezone") OR OLD."type" IS DISTINCT FROM (NEW."type"))', func='PERFORM fairway_audit(TG_OP, \'Campaign\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"deleted_at": "deletedAt", "club_id": "clubId", "name": "name", "description": "description", "type": "type", "status": "status", "segment_id": "segmentId", "channels": "channels", "scheduled_at": "scheduledAt", "started_at": "startedAt", "completed_at": "completedAt", "timezone": "timezone", "recur_pattern": "recurPattern", "recur_end_at": "recurEndAt", "email_template_id": "emailTemplateId", "sms_template_id": "smsTemplateId", "push_template_id": "pushTemplateId", "goal_activity_type": "goalActivityType", "goal_days": "goalDays", "goal_has_revenue": "goalHasRevenue", "quiet_hours_policy": "quietHoursPolicy", "messages_per_hour": "messagesPerHour", "hold_out_percent": "holdOutPercent", "test_percent": "testPercent", "test_metric": "testMetric", "test_hours": "testHours", "is_system": "isSystem", "created_by": "createdBy"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='646c2d523bb2e5c1ac00ea258bac2c097a5717a9', operation='UPDATE', pgid='pgtrigger_audit_change_195c5', table='campaigns_campaign', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('quiet_hours_policy__in', ['WAIT', 'SKIP'])), name='campaign_quiet_hours_policy_known'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('test_metric__in', ['OPENED', 'CLICKED', 'CONVERTED'])), name='campaign_test_metric_known'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('hold_out_percent__lte', 50)), name='campaign_hold_out_share'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('test_percent__range', (1, 100)), ('test_percent__isnull', True), _connector='OR'), name='campaign_test_share'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('messages_per_hour__gte', 1), ('messages_per_hour__isnull', True), _connector='OR'), name='campaign_pace'),
        ),
        migrations.AddField(
            model_name='campaignvariant',
            name='campaign',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='variants', to='campaigns.campaign'),
        ),
        migrations.AddField(
            model_name='campaignvariant',
            name='tenant',
            field=models.ForeignKey(db_index=False, default=crm_site.tenancy.context.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant'),
        ),
        migrations.AddField(
            model_name='campaignrun',
            name='winner',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.campaignvariant'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='variant',
            field=models.ForeignKey(blank=True, db_index=False, help_text="Of the campaign's test; blank for who is not in it, the winner's readers too.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='campaigns.campaignvariant'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'ACCEPTED')), fields=['tenant', 'settled_at'], name='delivery_accepted'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('variant__isnull', False)), fields=['variant'], name='delivery_of_variant'),
        ),
        migrations.AddField(
            model_name='frequencycap',
            name='tenant',
            field=models.ForeignKey(db_index=False, default=crm_site.tenancy.context.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant'),
        ),
        migrations.AddConstraint(
            model_name='campaignvariant',
            constraint=models.UniqueConstraint(fields=('campaign', 'name'), name='variant_name_once'),
        ),
        migrations.AddConstraint(
            model_name='campaignvariant',
            constraint=models.UniqueConstraint(fields=('campaign', 'position'), name='variant_position_once'),
        ),
        migrations.AddConstraint(
            model_name='campaignvariant',
            constraint=models.CheckConstraint(condition=models.Q(('share__range', (1, 100))), name='variant_share'),
        ),
        migrations.AddConstraint(
            model_name='campaignvariant',
            constraint=models.CheckConstraint(condition=models.Q(('send_hour__lte', 23), ('send_hour__isnull', True), _connector='OR'), name='variant_hour'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaignvariant',
            trigger=pgtrigger.compiler.Trigger(name='audit_row', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM fairway_audit(TG_OP, \'CampaignVariant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"campaign_id": "campaignId", "position": "position", "name": "name", "share": "share", "email_template_id": "emailTemplateId", "sms_template_id": "smsTemplateId", "push_template_id": "pushTemplateId", "send_hour": "sendHour"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='73fa82f2a649dc3b991157c7c74aedce32d0cfcf', operation='INSERT OR DELETE', pgid='pgtrigger_audit_row_b46cc', table='campaigns_campaignvariant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaignvariant',
            trigger=pgtrigger.compiler.Trigger(name='audit_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."campaign_id" IS DISTINCT FROM (NEW."campaign_id") OR OLD."email_template_id" IS DISTINCT FROM (NEW."email_template_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."push_template_id" IS DISTINCT FROM (NEW."push_template_id") OR OLD."send_hour" IS DISTINCT FROM (NEW."send_hour") OR OLD."share" IS DISTINCT FROM (NEW."share") OR OLD."sms_template_id" IS DISTINCT FROM (NEW."sms_template_id"))', func='PERFORM fairway_audit(TG_OP, \'CampaignVariant\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"campaign_id": "campaignId", "position": "position", "name": "name", "share": "share", "email_template_id": "emailTemplateId", "sms_template_id": "smsTemplateId", "push_template_id": "pushTemplateId", "send_hour": "sendHour"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='408107d8407f1b2f660b32e4712cf50403c24985', operation='UPDATE', pgid='pgtrigger_audit_change_44f61', table='campaigns_campaignvariant', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='frequencycap',
            constraint=models.UniqueConstraint(fields=('tenant', 'channel'), name='cap_channel_once'),
        ),
        migrations.AddConstraint(
            model_name='frequencycap',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['EMAIL', 'SMS', 'PUSH', 'WHATSAPP', 'IN_APP', 'SOCIAL'])), name='cap_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='frequencycap',
            constraint=models.CheckConstraint(condition=models.Q(('messages__gte', 1), ('messages__isnull', True), _connector='OR'), name='cap_messages'),
        ),
        migrations.AddConstraint(
            model_name='frequencycap',
            constraint=models.CheckConstraint(condition=models.Q(('days__gte', 1)), name='cap_days'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='frequencycap',
            trigger=pgtrigger.compiler.Trigger(name='audit_row', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM fairway_audit(TG_OP, \'FrequencyCap\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"channel": "channel", "messages": "messages", "days": "days"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='c8939df6dbfdbb84f477b9ccd009ce4c0ca3439f', operation='INSERT OR DELETE', pgid='pgtrigger_audit_row_e8083', table='campaigns_frequencycap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='frequencycap',
            trigger=pgtrigger.compiler.Trigger(name='audit_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."days" IS DISTINCT FROM (NEW."days") OR OLD."messages" IS DISTINCT FROM (NEW."messages"))', func='PERFORM fairway_audit(TG_OP, \'FrequencyCap\', CASE WHEN TG_OP <> \'INSERT\' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> \'DELETE\' THEN to_jsonb(NEW) END, \'{"channel": "channel", "messages": "messages", "days": "days"}\'::jsonb, \'tenant_id\'); RETURN NULL;', hash='287f9454995911377b130fc07e2eca09fb286f18', operation='UPDATE', pgid='pgtrigger_audit_change_610f3', table='campaigns_frequencycap', when='AFTER')),
        ),
    ]

"""Customers who changed are looked at again; segments with new rules wait for their refresh."""
import crm_site.db.ids
import crm_site.tenancy.context
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0006_audit_without_updated_by'),
        ('segments', '0003_one_refresh_at_a_time'),
        ('tenancy', '0004_follow_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='customersegment',
            name='is_stale',
            # Of those that are there already: filled, or due at the next tick.
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name='customersegment',
            name='is_stale',
            field=models.BooleanField(default=True, editable=False, help_text='New or changed rules: who is in it is not known before the next refresh.'),
        ),
        migrations.CreateModel(
            name='SegmentRecheck',
            fields=[
                ('id', models.UUIDField(default=crm_site.db.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('reads', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customerprofile')),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='segments.customersegment')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=crm_site.tenancy.context.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'verbose_name': 'look still to be taken',
                'verbose_name_plural': 'looks still to be taken',
                'abstract': False,
                'base_manager_name': 'all_tenants',
                'default_manager_name': 'all_tenants',
                'indexes': [models.Index(fields=['tenant', 'id'], name='recheck_queue')],
            },
            managers=[
                ('all_tenants', django.db.models.manager.Manager()),
            ],
        ),
    ]


import crm_site.db.ids
import crm_site.tenancy.context
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0005_hold_large_changes'),
        ('tenancy', '0004_follow_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='customersegment',
            name='is_sync_due',
            field=models.BooleanField(default=False, editable=False, help_text='Members moved that Messaging has not heard of.'),
        ),
        migrations.AddField(
            model_name='customersegment',
            name='sync_error',
            field=models.TextField(blank=True, editable=False, help_text='Why Messaging could not be told.', null=True),
        ),
        migrations.CreateModel(
            name='MessagingMember',
            fields=[
                ('id', models.UUIDField(default=crm_site.db.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('customer_id', models.UUIDField()),
                ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='segments.customersegment')),
                ('tenant', models.ForeignKey(db_index=False, default=crm_site.tenancy.context.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'verbose_name': 'member known to Messaging',
                'verbose_name_plural': 'members known to Messaging',
                'abstract': False,
                'base_manager_name': 'all_tenants',
                'default_manager_name': 'all_tenants',
                'constraints': [models.UniqueConstraint(fields=('segment', 'customer_id'), name='messaging_member_once')],
            },
            managers=[
                ('all_tenants', django.db.models.manager.Manager()),
            ],
        ),
    ]


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0004_follow_changes'),
        ('tenancy', '0004_follow_changes'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='segmentrefresh',
            name='refresh_status_known',
        ),
        migrations.RemoveConstraint(
            model_name='segmentrefresh',
            name='refresh_once_at_a_time',
        ),
        migrations.AddField(
            model_name='segmentrefresh',
            name='approved_by',
            field=models.CharField(blank=True, help_text='Who let a large change through.', max_length=100, null=True),
        ),
        migrations.AlterField(
            model_name='segmentrefresh',
            name='status',
            field=models.CharField(choices=[('PENDING', 'Waiting'), ('RUNNING', 'Running'), ('SUCCESS', 'Done'), ('FAILED', 'Failed'), ('HELD', 'Waits for a person')], default='PENDING', max_length=16),
        ),
        migrations.AddIndex(
            model_name='segmentrefresh',
            index=models.Index(condition=models.Q(('status', 'HELD')), fields=['tenant', 'segment'], name='refresh_held'),
        ),
        migrations.AddConstraint(
            model_name='segmentrefresh',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'RUNNING', 'SUCCESS', 'FAILED', 'HELD'])), name='refresh_status_known'),
        ),
        migrations.AddConstraint(
            model_name='segmentrefresh',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['PENDING', 'RUNNING', 'HELD'])), fields=('segment', 'status'), name='refresh_once_at_a_time'),
        ),
    ]

from django.db import migrations, models

# Policies are forced on the owner, too, who has no tenant; only for this statement they are not.
OPEN = "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY;"
CLOSE = "ALTER TABLE {} FORCE ROW LEVEL SECURITY;"
TABLES = ("segments_messagingmember", "segments_customersegment")
FILL = """
UPDATE segments_messagingmember AS told SET remote_id = kept.messaging_segment_id
  FROM segments_customersegment AS kept
 WHERE kept.id = told.segment_id AND kept.messaging_segment_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("segments", "0008_smart_segments")]

    operations = [
        migrations.RemoveConstraint(model_name="messagingmember", name="messaging_member_once"),
        migrations.AddField(
            model_name="messagingmember",
            name="remote_id",
            field=models.CharField(
                default="", help_text="Messaging's id of its copy.", max_length=64
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "".join([*map(OPEN.format, TABLES), FILL, *map(CLOSE.format, TABLES)]),
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="messagingmember",
            constraint=models.UniqueConstraint(
                fields=("segment", "remote_id", "customer_id"), name="messaging_member_once"
            ),
        ),
    ]

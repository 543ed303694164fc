"""Opt-in flags have one writer (customers.services.consent)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION fairway_consent_guard() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('fairway.consent_writer', true), '') <> 'messaging' THEN
        RAISE EXCEPTION 'Consent is Messaging''s: only its events change an opt-in flag.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION fairway_consent_guard()")]

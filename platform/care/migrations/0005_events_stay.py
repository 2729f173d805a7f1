"""The database itself refuses to change or remove what happened to a proposal."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION care_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened to a proposal is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER proposal_event_is_append_only BEFORE UPDATE OR DELETE ON care_proposalevent
    FOR EACH ROW EXECUTE FUNCTION care_refuse_change();
"""
BACKWARD = """
DROP TRIGGER proposal_event_is_append_only ON care_proposalevent;
DROP FUNCTION care_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("care", "0004_decisions")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

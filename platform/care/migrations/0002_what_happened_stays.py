"""The database itself refuses to change or remove what happened to a proposal, and what was erased."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION care_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened to a proposal is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER proposal_event_is_append_only BEFORE UPDATE OR DELETE ON care_proposalevent
    FOR EACH ROW EXECUTE FUNCTION care_refuse_change();
CREATE FUNCTION care_refuse_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was erased is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER erasure_is_append_only BEFORE UPDATE OR DELETE ON care_erasure
    FOR EACH ROW EXECUTE FUNCTION care_refuse_forgetting();
"""
BACKWARD = """
DROP TRIGGER erasure_is_append_only ON care_erasure;
DROP FUNCTION care_refuse_forgetting();
DROP TRIGGER proposal_event_is_append_only ON care_proposalevent;
DROP FUNCTION care_refuse_change();
"""


class Migration(migrations.Migration):
    replaces = [("care", "0012_withdrawals")]
    dependencies = [("care", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

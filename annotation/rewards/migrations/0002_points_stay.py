"""Points are only ever added to: what was earned or taken back stays on record."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION rewards_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'points are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER rewards_point_is_append_only BEFORE UPDATE OR DELETE ON rewards_point
    FOR EACH ROW EXECUTE FUNCTION rewards_refuse_change();
"""
BACKWARD = """
DROP TRIGGER rewards_point_is_append_only ON rewards_point;
DROP FUNCTION rewards_refuse_change();
"""


class Migration(migrations.Migration):
    replaces = [("rewards", "0002_append_only")]
    dependencies = [("rewards", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

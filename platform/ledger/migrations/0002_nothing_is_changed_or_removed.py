"""The database itself refuses to change or remove what was recorded: by triggers, and by rights.

The application's role owns the tables, so it could give itself the rights again; docs/ledger.md says what that means.
"""

from django.db import migrations

TABLES = ("ledger_entry", "ledger_checkpoint")
FUNCTION = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
FORWARD = FUNCTION + "".join(
    f"""
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM PUBLIC, CURRENT_USER;
"""
    for table in TABLES
)
BACKWARD = (
    "".join(
        f"""
GRANT UPDATE, DELETE, TRUNCATE ON {table} TO CURRENT_USER;
DROP TRIGGER {table}_is_never_emptied ON {table};
DROP TRIGGER {table}_is_append_only ON {table};
"""
        for table in TABLES
    )
    + "DROP FUNCTION ledger_refuse_change();"
)


class Migration(migrations.Migration):
    replaces = [("ledger", "0004_nothing_is_changed")]
    dependencies = [("ledger", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

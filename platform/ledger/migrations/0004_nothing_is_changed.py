"""The database itself refuses to change or remove what was recorded: by triggers, and by rights.

The application's role owns the tables, so it could give itself the rights again; docs/ledger.md says what that means.
"""

from django.db import migrations, models

TABLES = ("ledger_entry", "ledger_checkpoint")
FORWARD = "".join(
    f"""
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM PUBLIC, CURRENT_USER;
"""
    for table in TABLES
)
BACKWARD = "".join(
    f"""
GRANT UPDATE, DELETE, TRUNCATE ON {table} TO CURRENT_USER;
DROP TRIGGER {table}_is_never_emptied ON {table};
DROP TRIGGER {table}_is_append_only ON {table};
"""
    for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_one_chain_per_community")]
    operations = [
        migrations.AddConstraint(
            "entry",
            models.UniqueConstraint(fields=("community", "sequence"), name="one_entry_per_place_in_a_chain"),
        ),
        migrations.AddConstraint(
            "entry",
            models.UniqueConstraint(fields=("community", "previous_sha256"), name="one_entry_follows_another"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

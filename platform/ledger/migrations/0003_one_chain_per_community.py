"""Each community has a chain of its own, and what people wrote is sealed beside it.

What was recorded before is chained anew: names and free text move into the sealed parts, and each chain ends with an
entry that says how many were moved and what the last hash was before. Triggers come back in the next migration.
"""

import hashlib
import hmac
import secrets
from datetime import UTC

import rfc8785
from django.db import migrations, models

DROP = """
DROP TRIGGER ledger_entry_is_append_only ON ledger_entry;
"""
RESTORE = """
CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""
GENESIS = "0" * 64
WRITTEN = {"title", "note", "name", "origin", "licence", "language_tag"}
HIDDEN = {"consent.given", "consent.withdrawn", "answer.withdrawn"}


def seal(entry, sequence, previous):
    body = {
        "sequence": sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "community": entry.community,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": entry.details,
        "commitment": entry.commitment,
    }
    entry.sequence, entry.previous_sha256 = sequence, previous
    entry.sha256 = hashlib.sha256(b"\x01" + bytes.fromhex(previous) + rfc8785.dumps(body)).hexdigest()


def chain_anew(apps, schema_editor):
    Entry, Secret = apps.get_model("ledger", "Entry"), apps.get_model("ledger", "Secret")
    for community in sorted(set(Entry.objects.order_by().values_list("community", flat=True))):
        sequence, previous, earlier = 0, GENESIS, GENESIS
        last = None
        for entry in Entry.objects.filter(community=community).order_by("sequence"):
            earlier, last = entry.sha256, entry
            sequence += 1
            about, sealed = entry.actor, {}
            if entry.action in HIDDEN:
                sealed = {"actor": entry.actor, "subject": entry.subject}
                entry.actor = entry.subject = ""
                if "sha256" in entry.details:  # of a receipt: over person and moment, so it could be guessed
                    sealed["sha256"] = entry.details.pop("sha256")
            if "control_share" in entry.details:
                entry.details["control_percent"] = round(100 * entry.details.pop("control_share"))
            sealed |= {name: entry.details.pop(name) for name in WRITTEN & set(entry.details)}
            if sealed:
                salt = secrets.token_bytes(32)
                entry.commitment = hmac.digest(salt, rfc8785.dumps(sealed), "sha256").hex()
                Secret.objects.create(entry_id=entry.pk, about=about, salt=salt, payload=sealed)
            seal(entry, sequence, previous)
            previous = entry.sha256
            entry.save()
        note = Entry(
            community=community,
            action="ledger.chained_anew",
            subject=f"entries:{sequence}",
            details={"entries": sequence, "earlier_head": earlier},
            at=last.at,
        )
        seal(note, sequence + 1, previous)
        note.save()


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [
        migrations.RunSQL(DROP, RESTORE),
        migrations.AlterField("entry", "sequence", models.BigIntegerField()),
        migrations.AlterField(
            "entry",
            "community",
            models.SlugField(
                blank=True, help_text="Whose chain it is; empty: the installation's.", max_length=64
            ),
        ),
        migrations.AlterField("entry", "subject", models.CharField(blank=True, max_length=128)),
        migrations.AddField(
            "entry",
            "commitment",
            models.CharField(
                blank=True, default="", help_text="To what is sealed; empty: nothing is.", max_length=64
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Secret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=models.deletion.DO_NOTHING,
                        related_name="secret",
                        to="ledger.entry",
                    ),
                ),
                (
                    "about",
                    models.CharField(
                        blank=True, db_index=True, help_text="Id of the account it is about.", max_length=64
                    ),
                ),
                ("salt", models.BinaryField(max_length=32)),
                ("payload", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("community", models.SlugField(blank=True, max_length=64)),
                ("size", models.BigIntegerField(help_text="How many entries it covers.")),
                (
                    "peaks",
                    models.JSONField(
                        help_text="Leaves and hashes of the tree's whole subtrees, so that the next one is quick."
                    ),
                ),
                ("note", models.TextField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("community", "size"), name="one_checkpoint_per_size")
                ]
            },
        ),
        migrations.RunPython(chain_anew, migrations.RunPython.noop),
    ]

"""A consent text says by which decision it is in force; what may be used for something asks whether that stands."""

import hashlib
import json

import django.db.models.deletion
from django.db import migrations, models


def name_decisions(apps, schema_editor):
    """Texts from before get the decision on exactly them, the newest one that has held. Those from before there were
    decisions get none, so nothing is used under them until the community decides on them."""
    decisions = apps.get_model("care", "Decision").objects.filter(matter="policy")
    began = decisions.exclude(state__in=["refused", "cooling_off", "reopened"]).order_by("-decided_at", "-pk")
    for policy in apps.get_model("care", "Policy").objects.filter(decision=None).exclude(state="draft"):
        parts = [policy.text, sorted(policy.purposes), policy.terms, *([policy.waiver] if policy.waiver else [])]
        subject = f"policy:{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]}"
        policy.decision = began.filter(community_id=policy.community_id, subject=subject).first()
        policy.save(update_fields=["decision"])


class Migration(migrations.Migration):
    dependencies = [("care", "0005_erasing_accounts_in_a_job")]
    operations = [
        migrations.AddField(
            "policy",
            "decision",
            models.ForeignKey(
                blank=True,
                help_text="By which it is in force; while that does not stand, no word is used.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="policies",
                to="care.decision",
            ),
        ),
        migrations.RunPython(name_decisions, migrations.RunPython.noop),
    ]

"""What may be used needs, beside what it needed, a decision that stands on the policy in force, and the receipt itself.

Says what `AnswerQuerySet.eligible_for` says; a test holds them equal.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION answers_may_be_used(
    answer uuid, task bigint, author bigint, receipt uuid, state text, wanted_ text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT state NOT IN ('withdrawn', 'quarantined')
        AND (
            state = 'validated' OR wanted_ IN ('display_members', 'peer_review', 'credit_name') OR (
                coalesce(current_setting('wordhearth.counter_examples', true), '') = 'on'
                AND public.answers_is_counter_example(answer, state)
            )
        )
        AND NOT EXISTS (
            SELECT 1 FROM (
                SELECT receipt AS id UNION SELECT receipt_id FROM public.answers_answer_built_on WHERE answer_id = answer
            ) AS needed
            LEFT JOIN public.care_grant
                ON receipt_id = needed.id AND purpose = wanted_ AND withdrawn_at IS NULL AND (overtaken_at IS NULL OR renewed_at IS NOT NULL)
            LEFT JOIN public.care_receipt given_under ON given_under.id = needed.id
            WHERE care_grant.id IS NULL{receipt} OR public.care_is_restricted(
                given_under.community_id, 'person', given_under.person_id::text, wanted_
            )
        )
        AND EXISTS (
            SELECT 1 FROM public.projects_task t
            JOIN public.projects_project p ON p.id = t.project_id
            JOIN public.corpora_item i ON i.id = t.item_id
            JOIN public.care_policy c ON c.community_id = p.community_id AND c.state = 'published' AND wanted_ = ANY (c.purposes)
            {decision}WHERE t.id = task
                AND NOT public.care_is_restricted(p.community_id, 'person', author::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'answer', answer::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'item', i.id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'source', i.source_id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'project', p.id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'community', p.community_id::text, wanted_)
        )
$$;
"""
DECISION = """JOIN public.care_decision d ON d.id = c.decision_id AND (
                d.state = 'in_force'
                OR (d.state = 'expired' AND wanted_ IN ('display_members', 'peer_review', 'credit_name'))
            )
            """
FORWARD = FUNCTION.format(receipt=" OR given_under.id IS NULL", decision=DECISION)
BACKWARD = FUNCTION.format(receipt="", decision="")


class Migration(migrations.Migration):
    dependencies = [
        ("answers", "0003_hash_of_a_review"),
        ("care", "0006_policies_name_their_decision"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

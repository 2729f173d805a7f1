"""The functions of row security find their tables when a backup is made: pg_dump reads rows without a search path.

They say what they said before.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION care_is_restricted(
    community bigint, kind_ text, key_ text, wanted_ text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.care_restriction
        WHERE community_id = community AND kind = kind_ AND key = key_ AND lifted_at IS NULL AND wanted_ = ANY (blocks)
            AND NOT public.care_in_season(season_from, season_to)
    )
$$;
CREATE OR REPLACE FUNCTION answers_may_be_used(
    answer uuid, task bigint, author bigint, receipt uuid, state text, wanted_ text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT state NOT IN ('withdrawn', 'quarantined')
        AND (state = 'validated' OR wanted_ IN ('display_members', 'peer_review', 'credit_name'))
        AND NOT EXISTS (
            SELECT 1 FROM (
                SELECT receipt AS id UNION SELECT receipt_id FROM public.answers_answer_built_on WHERE answer_id = answer
            ) AS needed
            LEFT JOIN public.care_grant
                ON receipt_id = needed.id AND purpose = wanted_ AND withdrawn_at IS NULL AND (overtaken_at IS NULL OR renewed_at IS NOT NULL)
            LEFT JOIN public.care_receipt given_under ON given_under.id = needed.id
            WHERE care_grant.id IS NULL OR public.care_is_restricted(
                given_under.community_id, 'person', given_under.person_id::text, wanted_
            )
        )
        AND EXISTS (
            SELECT 1 FROM public.projects_task t
            JOIN public.projects_project p ON p.id = t.project_id
            JOIN public.corpora_item i ON i.id = t.item_id
            JOIN public.care_policy c ON c.community_id = p.community_id AND c.state = 'published' AND wanted_ = ANY (c.purposes)
            WHERE t.id = task
                AND NOT public.care_is_restricted(p.community_id, 'person', author::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'answer', answer::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'item', i.id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'source', i.source_id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'project', p.id::text, wanted_)
                AND NOT public.care_is_restricted(p.community_id, 'community', p.community_id::text, wanted_)
        )
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("answers", "0009_suggestions_of_own_adapters")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]

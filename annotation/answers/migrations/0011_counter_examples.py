"""Whoever asks for counter-examples gets, beside validated answers, those that were turned down for what they say.

`care.purposes.reading_for` asks with a second setting. The new function says what `AnswerQuerySet.counter_examples` says.
What it reads is bound by the answers' own policy, which would ask it again: so it reads for no purpose, and the one that
was asked for comes back afterwards.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION answers_is_counter_example(one uuid, state text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    asked_for text := coalesce(current_setting('wordhearth.purpose', true), '');
    found boolean;
BEGIN
    IF state <> 'rejected' THEN
        RETURN false;
    END IF;
    PERFORM set_config('wordhearth.purpose', '', true);
    found := NOT EXISTS (
        SELECT 1 FROM public.answers_review
        WHERE answer_id = one AND (appropriate = false OR (verdict = 'reject' AND reason IN ('offensive', 'personal_data')))
    ) AND NOT EXISTS (
        SELECT 1 FROM public.answers_answerevent WHERE answer_id = one AND note = 'Another wording was accepted.'
    );
    PERFORM set_config('wordhearth.purpose', asked_for, true);
    RETURN found;
END $$;
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
BACKWARD = """
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
DROP FUNCTION answers_is_counter_example(uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [("answers", "0010_backups_of_bound_rows")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

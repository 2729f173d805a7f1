"""The database itself refuses rows that may not be used for the purpose they are read for.

`care.purposes.reading_for` names the purpose for a transaction; without one nothing is refused, because most of the house
reads answers to work on them. With a second setting it asks for counter-examples beside validated answers. The functions
say what `AnswerQuerySet.eligible_for` and `counter_examples` say; a test holds them equal.

They get the row's columns and read no answers themselves, since such a reading would ask the policy again; what
`answers_is_counter_example` reads is bound by it, so it reads for no purpose, and the one that was asked for comes back
afterwards. Tables are named with their schema: pg_dump reads rows without a search path.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION care_in_season(begins text, ends text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT begins <> '' AND CASE
        WHEN begins <= ends THEN to_char(now(), 'MM-DD') BETWEEN begins AND ends
        ELSE to_char(now(), 'MM-DD') >= begins OR to_char(now(), 'MM-DD') <= ends
    END
$$;
CREATE FUNCTION care_is_restricted(
    community bigint, kind_ text, key_ text, wanted_ text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.care_restriction
        WHERE community_id = community AND kind = kind_ AND key = key_ AND lifted_at IS NULL AND wanted_ = ANY (blocks)
            AND NOT public.care_in_season(season_from, season_to)
    )
$$;
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
CREATE FUNCTION answers_may_be_used(
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
ALTER TABLE answers_answer ENABLE ROW LEVEL SECURITY;
-- The house owns the table; without FORCE an owner is asked nothing.
ALTER TABLE answers_answer FORCE ROW LEVEL SECURITY;
CREATE POLICY answers_are_read_for_a_purpose ON answers_answer FOR SELECT USING (
    coalesce(current_setting('wordhearth.purpose', true), '') = ''
    OR answers_may_be_used(id, task_id, author_id, receipt_id, state, current_setting('wordhearth.purpose', true))
);
CREATE POLICY answers_are_added ON answers_answer FOR INSERT WITH CHECK (true);
CREATE POLICY answers_are_changed ON answers_answer FOR UPDATE USING (true);
CREATE POLICY answers_are_removed ON answers_answer FOR DELETE USING (true);
"""
BACKWARD = """
DROP POLICY answers_are_read_for_a_purpose ON answers_answer;
DROP POLICY answers_are_added ON answers_answer;
DROP POLICY answers_are_changed ON answers_answer;
DROP POLICY answers_are_removed ON answers_answer;
ALTER TABLE answers_answer NO FORCE ROW LEVEL SECURITY;
ALTER TABLE answers_answer DISABLE ROW LEVEL SECURITY;
DROP FUNCTION answers_may_be_used(uuid, bigint, bigint, uuid, text, text);
DROP FUNCTION answers_is_counter_example(uuid, text);
DROP FUNCTION care_is_restricted(bigint, text, text, text);
DROP FUNCTION care_in_season(text, text);
"""


class Migration(migrations.Migration):
    replaces = [("answers", "0011_counter_examples")]
    dependencies = [("answers", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

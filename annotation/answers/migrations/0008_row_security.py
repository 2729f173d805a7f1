"""The database itself refuses rows that may not be used for the purpose they are read for.

`care.purposes.reading_for` names the purpose for a transaction; without one nothing is refused, because most of the house
reads answers to work on them. The function says what `AnswerQuerySet.eligible_for` says; a test holds them equal. It gets
the row's columns and never reads answers itself, since such a reading would ask the policy again.
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
        SELECT 1 FROM care_restriction
        WHERE community_id = community AND kind = kind_ AND key = key_ AND lifted_at IS NULL AND wanted_ = ANY (blocks)
            AND NOT care_in_season(season_from, season_to)
    )
$$;
CREATE FUNCTION answers_may_be_used(
    answer uuid, task bigint, author bigint, receipt uuid, state text, wanted_ text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT state NOT IN ('withdrawn', 'quarantined')
        AND (state = 'validated' OR wanted_ IN ('display_members', 'peer_review', 'credit_name'))
        AND NOT EXISTS (
            SELECT 1 FROM (
                SELECT receipt AS id UNION SELECT receipt_id FROM answers_answer_built_on WHERE answer_id = answer
            ) AS needed
            LEFT JOIN care_grant
                ON receipt_id = needed.id AND purpose = wanted_ AND withdrawn_at IS NULL AND (overtaken_at IS NULL OR renewed_at IS NOT NULL)
            LEFT JOIN care_receipt ON care_receipt.id = needed.id
            WHERE care_grant.id IS NULL OR care_is_restricted(
                care_receipt.community_id, 'person', care_receipt.person_id::text, wanted_
            )
        )
        AND EXISTS (
            SELECT 1 FROM projects_task t
            JOIN projects_project p ON p.id = t.project_id
            JOIN corpora_item i ON i.id = t.item_id
            JOIN care_policy c ON c.community_id = p.community_id AND c.state = 'published' AND wanted_ = ANY (c.purposes)
            WHERE t.id = task
                AND NOT care_is_restricted(p.community_id, 'person', author::text, wanted_)
                AND NOT care_is_restricted(p.community_id, 'answer', answer::text, wanted_)
                AND NOT care_is_restricted(p.community_id, 'item', i.id::text, wanted_)
                AND NOT care_is_restricted(p.community_id, 'source', i.source_id::text, wanted_)
                AND NOT care_is_restricted(p.community_id, 'project', p.id::text, wanted_)
                AND NOT care_is_restricted(p.community_id, 'community', p.community_id::text, wanted_)
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
DROP FUNCTION care_is_restricted(bigint, text, text, text);
DROP FUNCTION care_in_season(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("answers", "0007_sent_back"),
        ("care", "0003_terms_of_policies"),
        ("corpora", "0001_initial"),
        ("projects", "0006_urgent_tasks_and_more_answers"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

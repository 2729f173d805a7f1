"""What guards a release asks once for all rows of a statement, and no more row by row: whoever takes words back waits for
ten thousand rows at once.

It asks what it asked before. Answers and grants are read FOR SHARE, and read again where they change meanwhile, so what
is counted is what holds when the locks are there; only then, and only where some are missing, it is asked which.
"""

from importlib import import_module

from django.db import migrations

FORWARD = """
DROP TRIGGER release_item_needs_live_consent ON releases_releaseitem;
DROP TRIGGER release_item_is_about_texts_of_people ON releases_releaseitem;
DROP FUNCTION releases_check_consent();
DROP FUNCTION releases_refuse_machine_texts();

CREATE FUNCTION releases_check_answers(entered bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    locked bigint;
    refused record;
BEGIN
    PERFORM 1 FROM releases_releaseitem i
        JOIN answers_answer a ON a.id = i.answer_id AND a.receipt_id = i.receipt_id
            AND a.state = CASE WHEN i.is_good THEN 'validated' ELSE 'rejected' END
        WHERE i.id = ANY (entered)
        ORDER BY a.id FOR SHARE OF a;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(entered) THEN
        SELECT i.answer_id, i.is_good, a.state INTO refused
            FROM releases_releaseitem i LEFT JOIN answers_answer a ON a.id = i.answer_id
            WHERE i.id = ANY (entered) AND (
                a.state IS DISTINCT FROM CASE WHEN i.is_good THEN 'validated' ELSE 'rejected' END
            );
        IF FOUND THEN
            RAISE EXCEPTION 'answer % is not %', refused.answer_id,
                CASE WHEN refused.is_good THEN 'validated' ELSE 'turned down' END
                USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_validated_answers';
        END IF;
        SELECT i.answer_id INTO refused
            FROM releases_releaseitem i LEFT JOIN answers_answer a ON a.id = i.answer_id
            WHERE i.id = ANY (entered) AND a.receipt_id IS DISTINCT FROM i.receipt_id;
        RAISE EXCEPTION 'answer % was given under another receipt', refused.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_names_the_answers_receipt';
    END IF;

    SELECT i.answer_id INTO refused
        FROM releases_releaseitem i JOIN releases_release r ON r.id = i.release_id
        WHERE i.id = ANY (entered) AND NOT i.is_good
            AND NOT (r.has_judgements AND answers_is_counter_example(i.answer_id, 'rejected'));
    IF FOUND THEN
        RAISE EXCEPTION 'answer % is no counter-example', refused.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_counter_examples_as_such';
    END IF;

    SELECT i.answer_id INTO refused
        FROM releases_releaseitem i
        JOIN answers_answer a ON a.id = i.answer_id
        JOIN projects_task t ON t.id = a.task_id
        JOIN corpora_item c ON c.id = t.item_id
        JOIN corpora_source s ON s.id = c.source_id
        WHERE i.id = ANY (entered) AND s.is_machine_made;
    IF FOUND THEN
        RAISE EXCEPTION 'answer % is about texts that models wrote', refused.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_no_texts_of_models';
    END IF;
END $$;

CREATE FUNCTION releases_receipts_of(entered bigint[])
    RETURNS TABLE (receipt_id uuid, purpose varchar) LANGUAGE sql STABLE AS $$
    SELECT i.receipt_id, r.purpose
        FROM releases_releaseitem i JOIN releases_release r ON r.id = i.release_id
        WHERE i.id = ANY (entered)
    UNION
    SELECT b.receipt_id, r.purpose
        FROM releases_releaseitem i JOIN releases_release r ON r.id = i.release_id
        JOIN answers_answer_built_on b ON b.answer_id = i.answer_id
        WHERE i.id = ANY (entered)
$$;

CREATE FUNCTION releases_check_consent(entered bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    granted bigint;
    refused record;
BEGIN
    PERFORM 1 FROM releases_receipts_of(entered) AS needed
        JOIN care_grant g ON g.receipt_id = needed.receipt_id AND g.purpose = needed.purpose
        WHERE g.withdrawn_at IS NULL AND (g.overtaken_at IS NULL OR g.renewed_at IS NOT NULL)
        ORDER BY g.id FOR SHARE OF g;
    GET DIAGNOSTICS granted = ROW_COUNT;
    IF granted < (SELECT count(*) FROM releases_receipts_of(entered)) THEN
        SELECT i.answer_id, r.purpose INTO refused
            FROM releases_releaseitem i JOIN releases_release r ON r.id = i.release_id
            WHERE i.id = ANY (entered) AND EXISTS (
                SELECT 1 FROM releases_receipts_of(ARRAY[i.id]) AS needed
                WHERE NOT EXISTS (
                    SELECT 1 FROM care_grant g
                    WHERE g.receipt_id = needed.receipt_id AND g.purpose = needed.purpose
                        AND g.withdrawn_at IS NULL AND (g.overtaken_at IS NULL OR g.renewed_at IS NOT NULL)
                )
            );
        RAISE EXCEPTION 'answer % has no live consent for %', refused.answer_id, refused.purpose
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_needs_live_consent';
    END IF;
END $$;

CREATE FUNCTION releases_check_entered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows bigint[] := ARRAY(SELECT id FROM entered);
BEGIN
    PERFORM releases_check_answers(rows);
    PERFORM releases_check_consent(rows);
    RETURN NULL;
END $$;
CREATE FUNCTION releases_check_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM releases_check_answers(ARRAY[NEW.id]);
    PERFORM releases_check_consent(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER release_item_may_enter AFTER INSERT ON releases_releaseitem
    REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION releases_check_entered();
CREATE TRIGGER release_item_may_change AFTER UPDATE OF answer_id, receipt_id, release_id, is_good
    ON releases_releaseitem FOR EACH ROW EXECUTE FUNCTION releases_check_changed();
"""
DROPPED = """
DROP TRIGGER release_item_may_change ON releases_releaseitem;
DROP TRIGGER release_item_may_enter ON releases_releaseitem;
DROP FUNCTION releases_check_changed();
DROP FUNCTION releases_check_entered();
DROP FUNCTION releases_check_consent(bigint[]);
DROP FUNCTION releases_receipts_of(bigint[]);
DROP FUNCTION releases_check_answers(bigint[]);
"""
CONSENT = import_module("training.releases.migrations.0002_guard_of_consent").FORWARD
TEXTS = import_module("training.releases.migrations.0003_no_texts_of_models").FORWARD
BACKWARD = DROPPED + CONSENT.partition("CREATE FUNCTION releases_check_vote")[0] + TEXTS


class Migration(migrations.Migration):
    dependencies = [("releases", "0003_no_texts_of_models")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

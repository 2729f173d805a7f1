"""Nothing without live consent for the release's purpose can ever reach a release: no answer, and no vote.

What is good must be validated; a counter-example must have been turned down for what it says, in a release that says it
holds such. The triggers read answers and grants FOR SHARE: a withdrawal that happens at the same moment waits for the
release to be committed, and then finds its row there to mark. A consent that wider terms have overtaken lets nothing in.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION releases_check_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
    owner uuid;
    needed bigint;
    granted bigint;
BEGIN
    SELECT purpose INTO STRICT wanted FROM releases_release WHERE id = NEW.release_id;

    SELECT receipt_id INTO owner FROM answers_answer
        WHERE id = NEW.answer_id AND (
            (NEW.is_good AND state = 'validated') OR (NOT NEW.is_good AND state = 'rejected')
        ) FOR SHARE;
    IF owner IS NULL THEN
        RAISE EXCEPTION 'answer % is not %', NEW.answer_id, CASE WHEN NEW.is_good THEN 'validated' ELSE 'turned down' END
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_validated_answers';
    END IF;
    IF NOT NEW.is_good AND NOT (
        answers_is_counter_example(NEW.answer_id, 'rejected')
        AND EXISTS (SELECT 1 FROM releases_release WHERE id = NEW.release_id AND has_judgements)
    ) THEN
        RAISE EXCEPTION 'answer % is no counter-example', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_counter_examples_as_such';
    END IF;

    IF owner <> NEW.receipt_id THEN
        RAISE EXCEPTION 'answer % was given under another receipt', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_names_the_answers_receipt';
    END IF;
    PERFORM 1 FROM care_grant WHERE purpose = wanted AND withdrawn_at IS NULL AND (overtaken_at IS NULL OR renewed_at IS NOT NULL) AND receipt_id IN (
        SELECT NEW.receipt_id UNION SELECT receipt_id FROM answers_answer_built_on WHERE answer_id = NEW.answer_id
    ) FOR SHARE;
    GET DIAGNOSTICS granted = ROW_COUNT;
    SELECT count(*) INTO needed FROM (
        SELECT NEW.receipt_id UNION SELECT receipt_id FROM answers_answer_built_on WHERE answer_id = NEW.answer_id
    ) AS receipts;
    IF granted < needed THEN
        RAISE EXCEPTION 'answer % has no live consent for %', NEW.answer_id, wanted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_needs_live_consent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_item_needs_live_consent BEFORE INSERT OR UPDATE OF answer_id, receipt_id, release_id, is_good
    ON releases_releaseitem FOR EACH ROW EXECUTE FUNCTION releases_check_consent();

CREATE FUNCTION releases_check_vote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM care_grant g
        JOIN care_receipt c ON c.id = g.receipt_id
        JOIN releases_release l ON l.purpose = g.purpose AND l.community_id = c.community_id
        JOIN releases_releaseitem i ON i.release_id = l.id
        WHERE i.id = NEW.releaseitem_id AND c.id = NEW.receipt_id AND l.has_judgements
            AND g.withdrawn_at IS NULL AND (g.overtaken_at IS NULL OR g.renewed_at IS NOT NULL)
        FOR SHARE OF g;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a vote under receipt % has no live consent', NEW.receipt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'votes_need_live_consent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER vote_in_release_needs_live_consent BEFORE INSERT OR UPDATE
    ON releases_releaseitem_voters FOR EACH ROW EXECUTE FUNCTION releases_check_vote();
"""
BACKWARD = """
DROP TRIGGER vote_in_release_needs_live_consent ON releases_releaseitem_voters;
DROP FUNCTION releases_check_vote();
DROP TRIGGER release_item_needs_live_consent ON releases_releaseitem;
DROP FUNCTION releases_check_consent();
"""


class Migration(migrations.Migration):
    replaces = [("releases", "0008_guard_of_counter_examples")]
    dependencies = [("releases", "0001_tables"), ("answers", "0002_row_security_of_answers"), ("care", "0002_what_happened_stays")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

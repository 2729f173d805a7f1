"""A consent that wider terms have overtaken lets nothing into a release either."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION releases_check_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
    owner uuid;
    needed bigint;
    granted bigint;
BEGIN
    SELECT purpose INTO STRICT wanted FROM releases_release WHERE id = NEW.release_id;
    SELECT receipt_id INTO owner FROM answers_answer
        WHERE id = NEW.answer_id AND state = 'validated' FOR SHARE;
    IF owner IS NULL THEN
        RAISE EXCEPTION 'answer % is not validated', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_validated_answers';
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
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION releases_check_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
    owner uuid;
    needed bigint;
    granted bigint;
BEGIN
    SELECT purpose INTO STRICT wanted FROM releases_release WHERE id = NEW.release_id;
    SELECT receipt_id INTO owner FROM answers_answer
        WHERE id = NEW.answer_id AND state = 'validated' FOR SHARE;
    IF owner IS NULL THEN
        RAISE EXCEPTION 'answer % is not validated', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_validated_answers';
    END IF;
    IF owner <> NEW.receipt_id THEN
        RAISE EXCEPTION 'answer % was given under another receipt', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_names_the_answers_receipt';
    END IF;
    PERFORM 1 FROM care_grant WHERE purpose = wanted AND withdrawn_at IS NULL AND receipt_id IN (
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
"""


class Migration(migrations.Migration):
    dependencies = [("releases", "0002_consent_guard"), ("care", "0003_terms_of_policies")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

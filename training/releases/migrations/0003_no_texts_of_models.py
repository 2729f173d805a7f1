"""What people say of texts that models wrote enters no release, whoever asks."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION releases_refuse_machine_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM answers_answer a
        JOIN projects_task t ON t.id = a.task_id
        JOIN corpora_item i ON i.id = t.item_id
        JOIN corpora_source s ON s.id = i.source_id
        WHERE a.id = NEW.answer_id AND s.is_machine_made;
    IF FOUND THEN
        RAISE EXCEPTION 'answer % is about texts that models wrote', NEW.answer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_holds_no_texts_of_models';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_item_is_about_texts_of_people BEFORE INSERT OR UPDATE OF answer_id
    ON releases_releaseitem FOR EACH ROW EXECUTE FUNCTION releases_refuse_machine_texts();
"""
BACKWARD = """
DROP TRIGGER release_item_is_about_texts_of_people ON releases_releaseitem;
DROP FUNCTION releases_refuse_machine_texts();
"""


class Migration(migrations.Migration):
    dependencies = [("releases", "0002_guard_of_consent"), ("corpora", "0002_texts_of_models")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

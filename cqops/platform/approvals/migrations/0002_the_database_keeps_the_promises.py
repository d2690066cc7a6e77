"""What an approval is worth does not hang on the code that writes it: the database refuses by itself.

- The requester, and whoever the request is about, never decides.
- A decision carries the hash of its request, comes before the deadline, and only while it is pending.
- What was asked for never changes. A state moves only along the table of states.py, and none becomes
  approved or refused without a decision of another person.
- Requests and decisions are never deleted, decisions never changed. The only allowance is for the flush
  between tests: a setting of the session, in a database that bears the name of a test database.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION approvals_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%'
       AND current_setting('cqops.test_flush', true) = 'on'
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only history', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION approvals_check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked approvals_request%ROWTYPE;
BEGIN
    SELECT * INTO asked FROM approvals_request WHERE id = NEW.request_id FOR UPDATE;
    IF asked.requested_by_id = NEW.by_id THEN
        RAISE EXCEPTION 'whoever asked never decides' USING ERRCODE = 'restrict_violation';
    END IF;
    IF asked.subject_id = NEW.by_id::text THEN
        RAISE EXCEPTION 'nobody decides about themselves' USING ERRCODE = 'restrict_violation';
    END IF;
    IF asked.instruction_hash IS DISTINCT FROM NEW.instruction_hash THEN
        RAISE EXCEPTION 'the decision is about another instruction'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF asked.state <> 'pending' THEN
        RAISE EXCEPTION 'the request is already %', asked.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.at >= asked.deadline OR clock_timestamp() >= asked.deadline THEN
        RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION approvals_check_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'reason', 'version', 'ended_at', 'executed_at', 'settled_at',
        'rule_id'];
BEGIN
    IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT (
        (OLD.state = 'pending'
            AND NEW.state IN ('approved', 'refused', 'voided', 'expired', 'withdrawn'))
        OR (OLD.state = 'approved'
            AND NEW.state IN ('executed', 'voided', 'expired', 'withdrawn'))
    ) THEN
        RAISE EXCEPTION 'a request that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('approved', 'refused') AND NOT EXISTS (
        SELECT 1 FROM approvals_decision
        WHERE request_id = NEW.id
        AND verdict = CASE NEW.state WHEN 'approved' THEN 'approve' ELSE 'refuse' END
    ) THEN
        RAISE EXCEPTION 'nobody decided this' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'executed' AND clock_timestamp() >= NEW.deadline THEN
        RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION approvals_begin_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'pending' THEN
        RAISE EXCEPTION 'a request begins pending' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER decision_checked BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_check_decision();
CREATE TRIGGER decision_not_changed BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse_change();
CREATE TRIGGER decision_not_truncated BEFORE TRUNCATE ON approvals_decision
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse_change();
CREATE TRIGGER request_not_truncated BEFORE TRUNCATE ON approvals_request
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse_change();
CREATE TRIGGER request_begins_pending BEFORE INSERT ON approvals_request
    FOR EACH ROW EXECUTE FUNCTION approvals_begin_pending();
CREATE TRIGGER request_checked BEFORE UPDATE ON approvals_request
    FOR EACH ROW EXECUTE FUNCTION approvals_check_request();
CREATE TRIGGER request_not_deleted BEFORE DELETE ON approvals_request
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse_change();
"""
UNDO = """
DROP TRIGGER request_not_truncated ON approvals_request;
DROP TRIGGER decision_not_truncated ON approvals_decision;
DROP TRIGGER request_not_deleted ON approvals_request;
DROP TRIGGER request_checked ON approvals_request;
DROP TRIGGER request_begins_pending ON approvals_request;
DROP TRIGGER decision_not_changed ON approvals_decision;
DROP TRIGGER decision_checked ON approvals_decision;
DROP FUNCTION approvals_begin_pending();
DROP FUNCTION approvals_check_request();
DROP FUNCTION approvals_check_decision();
DROP FUNCTION approvals_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, UNDO)]

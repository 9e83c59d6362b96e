-- What drizzle-kit cannot say: the circular constraint, the gateway's role, and row-level security.

-- A delivery without a first recipient cannot exist: both rows are written by one statement, at whose end this is checked.
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_first_recipient_fk"
  FOREIGN KEY ("id", "first_recipient") REFERENCES "delivery_recipients" ("delivery_id", "position") DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint

-- Roles belong to the whole cluster: another database of it may have made this one already.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ticketwire_app') THEN
    CREATE ROLE ticketwire_app NOLOGIN NOBYPASSRLS NOSUPERUSER NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
--> statement-breakpoint
-- PostgreSQL 15 knows no SET privilege: there every member may become the role.
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'ticketwire_app',
    CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    EXECUTE format('GRANT ticketwire_app TO %I', current_user);
  END IF;
END $$;
--> statement-breakpoint

GRANT USAGE ON SCHEMA public TO ticketwire_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON
  users, api_tokens, mailboxes, mailbox_grants, tickets, messages, blobs, uploads, attachments,
  deliveries, delivery_recipients, delivery_attempts, events, idempotency_keys, audit_entries, inbox_mails TO ticketwire_app;
--> statement-breakpoint
-- Only what expires may be deleted; messages, deliveries, events and the audit trail stay.
GRANT DELETE ON api_tokens, mailbox_grants, blobs, uploads, idempotency_keys, inbox_mails TO ticketwire_app;
--> statement-breakpoint
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ticketwire_app;
--> statement-breakpoint

/*
 * ticketwire.viewer_role is OPERATOR or REQUESTER while a viewer's query runs (with ticketwire.viewer_id), and DESK in the
 * gateway's own work: the command's statement, the mail worker, the collector. Unset: nothing is seen.
 * The sub-selects make PostgreSQL evaluate a setting once a query, not once a row.
 */
CREATE FUNCTION sees_everything() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('ticketwire.viewer_role', true), '') IN ('OPERATOR', 'DESK');
--> statement-breakpoint
CREATE FUNCTION requester_id() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE WHEN current_setting('ticketwire.viewer_role', true) = 'REQUESTER'
    THEN nullif(current_setting('ticketwire.viewer_id', true), '')::integer END;
--> statement-breakpoint

ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox_mails ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint

CREATE POLICY desk ON tickets USING ((SELECT sees_everything()));
CREATE POLICY desk ON messages USING ((SELECT sees_everything()));
CREATE POLICY desk ON attachments USING ((SELECT sees_everything()));
CREATE POLICY desk ON deliveries USING ((SELECT sees_everything()));
CREATE POLICY desk ON delivery_recipients USING ((SELECT sees_everything()));
CREATE POLICY desk ON delivery_attempts USING ((SELECT sees_everything()));
CREATE POLICY desk ON events USING ((SELECT sees_everything()));
CREATE POLICY desk ON audit_entries USING ((SELECT sees_everything()));
CREATE POLICY desk ON inbox_mails USING ((SELECT sees_everything()));
--> statement-breakpoint

-- A requester: their own tickets, and of these only what is public. Deliveries, audit and inbox: nothing at all.
CREATE POLICY requester ON tickets FOR SELECT USING (requester_id = (SELECT requester_id()));
CREATE POLICY requester ON messages FOR SELECT
  USING (visibility = 'PUBLIC' AND ticket_id IN (SELECT t.id FROM tickets t WHERE t.requester_id = (SELECT requester_id())));
CREATE POLICY requester ON attachments FOR SELECT
  USING (EXISTS (SELECT FROM messages m WHERE m.id = message_id));
CREATE POLICY requester ON events FOR SELECT
  USING (visibility = 'PUBLIC' AND ticket_id IN (SELECT t.id FROM tickets t WHERE t.requester_id = (SELECT requester_id())));

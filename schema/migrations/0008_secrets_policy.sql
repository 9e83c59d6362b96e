-- What tells of private messages and files by the way, and what opens doors: a requester's queries have no business there.
ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE mailboxes ENABLE ROW LEVEL SECURITY;
ALTER TABLE mailbox_grants ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY desk ON blobs USING ((SELECT sees_everything()));
CREATE POLICY desk ON uploads USING ((SELECT sees_everything()));
CREATE POLICY desk ON idempotency_keys USING ((SELECT sees_everything()));
CREATE POLICY desk ON api_tokens USING ((SELECT sees_everything()));
CREATE POLICY desk ON mailboxes USING ((SELECT sees_everything()));
CREATE POLICY desk ON mailbox_grants USING ((SELECT sees_everything()));

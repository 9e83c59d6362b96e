-- Of the policies that let a row be seen, PostgreSQL asks the last by name first, and the next one only if that says no. The desk, which
-- sees everything, comes first from here on: a requester's policy looks up each attachment's message, and was asked about each of its rows.
ALTER POLICY desk ON tickets RENAME TO the_desk;--> statement-breakpoint
ALTER POLICY desk ON messages RENAME TO the_desk;--> statement-breakpoint
ALTER POLICY desk ON attachments RENAME TO the_desk;--> statement-breakpoint
ALTER POLICY desk ON events RENAME TO the_desk;

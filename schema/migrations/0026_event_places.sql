-- A restored desk may continue in a cluster whose transaction ids are lower: its start replaces this by a
-- function with a higher number (src/db/event-places.ts). Not immutable, or plans would keep the old number.
CREATE FUNCTION xact_offset() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
  RETURN 0;--> statement-breakpoint
CREATE FUNCTION event_place() RETURNS bigint LANGUAGE sql STABLE
  RETURN xact_offset() + pg_current_xact_id()::text::bigint;--> statement-breakpoint
-- Everything with a lower place is committed or will never be.
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql STABLE
  RETURN xact_offset() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint;--> statement-breakpoint
-- A constant first, so that the table is not written anew: older events come first, ticket by ticket.
ALTER TABLE "events" ADD COLUMN "place" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "place" SET DEFAULT event_place();--> statement-breakpoint
CREATE INDEX "events_place_idx" ON "events" USING btree ("place","ticket_id","number");

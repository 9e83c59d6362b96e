CREATE TABLE "outbox_homes" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"place" text NOT NULL,
	"timeline" integer NOT NULL,
	"held_at" timestamp (3) with time zone,
	"reason" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_homes_only_check" CHECK ("outbox_homes"."only")
);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON outbox_homes TO ticketwire_app;--> statement-breakpoint
ALTER TABLE outbox_homes ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY desk ON outbox_homes USING ((SELECT sees_everything()));

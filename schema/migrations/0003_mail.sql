CREATE TABLE "delivery_sources" (
	"delivery_id" integer PRIMARY KEY NOT NULL,
	"skeleton" "bytea" NOT NULL,
	"inserts" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "deliveries_due_idx";--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "signature" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "quote" text DEFAULT 'NONE' NOT NULL;--> statement-breakpoint
ALTER TABLE "mailboxes" ADD COLUMN "server_max_mail_bytes" integer;--> statement-breakpoint
ALTER TABLE "mailboxes" ADD COLUMN "paced_until" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "mailboxes" ADD COLUMN "rate_per_recipient_hour" integer;--> statement-breakpoint
ALTER TABLE "delivery_sources" ADD CONSTRAINT "delivery_sources_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deliveries_mailbox_due_idx" ON "deliveries" USING btree ("mailbox_id","due_at","id") WHERE state in ('QUEUED', 'HELD', 'DEFERRED');--> statement-breakpoint
CREATE INDEX "deliveries_ticket_pending_idx" ON "deliveries" USING btree ("ticket_id","id") WHERE state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING');--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_quote_check" CHECK (quote in ('NONE', 'LAST', 'ALL'));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_sources TO ticketwire_app;
--> statement-breakpoint
ALTER TABLE delivery_sources ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY desk ON delivery_sources USING ((SELECT sees_everything()));

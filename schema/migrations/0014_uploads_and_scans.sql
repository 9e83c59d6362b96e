CREATE TABLE "desk_keys" (
	"name" text PRIMARY KEY NOT NULL,
	"key" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "open_uploads" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"blob_key" text NOT NULL,
	"file_name" text NOT NULL,
	"content_type" text NOT NULL,
	"byte_size" integer,
	"sha256" "bytea",
	"arrived" integer DEFAULT 0 NOT NULL,
	"writer" uuid,
	"lease_until" timestamp (3) with time zone,
	"wanted" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "open_uploads_blob_key_unique" UNIQUE("blob_key")
);
--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_type_check";--> statement-breakpoint
DROP INDEX "deliveries_mailbox_due_idx";--> statement-breakpoint
ALTER TABLE "attachments" ADD COLUMN "upload_id" uuid;--> statement-breakpoint
ALTER TABLE "attachments" ADD COLUMN "scan" text;--> statement-breakpoint
ALTER TABLE "attachments" ADD COLUMN "scan_due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "attachments" ADD COLUMN "scan_found" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "awaits_scan" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "open_uploads" ADD CONSTRAINT "open_uploads_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "open_uploads_user_idx" ON "open_uploads" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "open_uploads_created_idx" ON "open_uploads" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "attachments_upload_key" ON "attachments" USING btree ("upload_id") WHERE upload_id is not null;--> statement-breakpoint
CREATE INDEX "attachments_scan_idx" ON "attachments" USING btree ("scan_due_at") WHERE scan = 'PENDING';--> statement-breakpoint
CREATE INDEX "uploads_user_idx" ON "uploads" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "deliveries_mailbox_due_idx" ON "deliveries" USING btree ("mailbox_id","due_at","id") WHERE state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan;--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_scan_check" CHECK (scan in ('PENDING', 'CLEAN', 'INFECTED'));--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_type_check" CHECK (type in ('MESSAGE_ADDED', 'MESSAGE_REDACTED', 'ATTACHMENT_SCANNED', 'DELIVERY_SENT', 'DELIVERY_PARTIALLY_FAILED', 'DELIVERY_FAILED', 'DELIVERY_DEFERRED', 'DELIVERY_OUTCOME_UNKNOWN', 'DELIVERY_CANCELLED', 'DELIVERY_RETRIED', 'DELIVERY_RESOLVED'));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON open_uploads TO ticketwire_app;--> statement-breakpoint
GRANT SELECT, INSERT ON desk_keys TO ticketwire_app;--> statement-breakpoint
-- Both open doors: a requester's queries have no business there.
ALTER TABLE open_uploads ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE desk_keys ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY desk ON open_uploads USING ((SELECT sees_everything()));--> statement-breakpoint
CREATE POLICY desk ON desk_keys USING (current_setting('ticketwire.viewer_role', true) = 'DESK');

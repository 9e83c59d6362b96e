ALTER TABLE "inbox_mails" ADD COLUMN "body_text" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "inbox_mails" ADD COLUMN "read_at" timestamp (3) with time zone;
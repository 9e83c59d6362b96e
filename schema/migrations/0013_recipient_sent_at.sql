DROP INDEX "delivery_recipients_sent_idx";--> statement-breakpoint
-- Null for what was sent before: a cap counts an hour.
ALTER TABLE "delivery_recipients" ADD COLUMN "sent_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "delivery_recipients_sent_idx" ON "delivery_recipients" USING btree ("sent_at") WHERE sent_at is not null;
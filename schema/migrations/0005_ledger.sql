ALTER TABLE "deliveries" ADD COLUMN "give_up_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "deliveries_conditional_idx" ON "deliveries" USING btree ("due_at") WHERE cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED');--> statement-breakpoint
CREATE INDEX "delivery_recipients_failed_idx" ON "delivery_recipients" USING btree ("delivery_id") WHERE state = 'FAILED';--> statement-breakpoint
CREATE INDEX "delivery_recipients_sent_idx" ON "delivery_recipients" USING btree (lower("address")) WHERE state = 'SENT';
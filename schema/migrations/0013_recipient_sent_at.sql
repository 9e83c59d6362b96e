DROP INDEX "delivery_recipients_sent_idx";--> statement-breakpoint
ALTER TABLE "delivery_recipients" ADD COLUMN "sent_at" timestamp (3) with time zone;--> statement-breakpoint
-- What a cap counts is of the last hour; older mails need no time.
UPDATE "delivery_recipients" r SET "sent_at" = d."settled_at" FROM "deliveries" d
WHERE d."id" = r."delivery_id" AND r."state" = 'SENT' AND d."settled_at" > now() - interval '1 hour';--> statement-breakpoint
CREATE INDEX "delivery_recipients_sent_idx" ON "delivery_recipients" USING btree (lower("address"),"sent_at") WHERE sent_at is not null;
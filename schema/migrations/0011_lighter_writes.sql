-- What each message paid for and nobody used. Mails are not looked up by their Message-ID, and 122 random bits keep it unique.
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_rfc_message_id_unique";--> statement-breakpoint
-- Events and keys name rows that their own statement wrote or held; of messages and deliveries they did so without a foreign key before.
ALTER TABLE "events" DROP CONSTRAINT "events_actor_id_users_id_fk";--> statement-breakpoint
ALTER TABLE "idempotency_keys" DROP CONSTRAINT "idempotency_keys_user_id_users_id_fk";--> statement-breakpoint
DROP INDEX "idempotency_keys_created_idx";--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_idx" ON "idempotency_keys" USING brin ("created_at");--> statement-breakpoint
-- Each message updates its ticket. With no room on the ticket's page, the new row went to another one and into all of the indexes.
-- Pages that are full have to be written anew to gain by it, or get room by the first updates.
ALTER TABLE "tickets" SET (fillfactor = 85);

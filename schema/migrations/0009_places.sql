-- One key is a ticket's messages in order and what its deliveries refer to: a delivery's ticket is its message's by constraint, with one
-- foreign key in the place of two. Made before the old ones go, as drizzle-kit has it the other way round, which PostgreSQL refuses.
ALTER TABLE "messages" ADD CONSTRAINT "messages_place_key" UNIQUE("ticket_id","id","visibility");--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_place_fk" FOREIGN KEY ("ticket_id","message_id","visibility") REFERENCES "public"."messages"("ticket_id","id","visibility") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_message_fk";--> statement-breakpoint
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_ticket_id_tickets_id_fk";--> statement-breakpoint
ALTER TABLE "messages" DROP CONSTRAINT "messages_id_visibility_key";--> statement-breakpoint
DROP INDEX "messages_ticket_idx";--> statement-breakpoint
-- Nothing is found by it yet.
DROP INDEX "events_desk_idx";--> statement-breakpoint
-- The same key without two regular expressions for each address.
CREATE OR REPLACE FUNCTION address_key(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN left(address, -length(split_part(address, '@', -1))) || lower(split_part(address, '@', -1));

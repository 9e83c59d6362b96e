-- A ticket that gets several messages in a minute is moved in these indexes once or twice.
DROP INDEX "tickets_active_idx";--> statement-breakpoint
DROP INDEX "tickets_requester_active_idx";--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "listed_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "is_listed_by_minute" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "public_listed_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "is_public_listed_by_minute" boolean DEFAULT false NOT NULL;--> statement-breakpoint
UPDATE tickets SET listed_at = active_at, public_listed_at = public_active_at;--> statement-breakpoint
CREATE INDEX "tickets_listed_idx" ON "tickets" USING btree ("status","is_listed_by_minute","listed_at","id");--> statement-breakpoint
CREATE INDEX "tickets_requester_listed_idx" ON "tickets" USING btree ("requester_id","status","is_public_listed_by_minute","public_listed_at","id");

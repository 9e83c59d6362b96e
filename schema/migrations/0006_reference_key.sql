DROP INDEX "tickets_reference_key";--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "reference_key" text GENERATED ALWAYS AS (lower(reference)) STORED NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "tickets_reference_key" ON "tickets" USING btree ("reference_key");
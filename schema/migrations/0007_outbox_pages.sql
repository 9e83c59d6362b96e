-- A delivery changes three times in its short life: room on its page keeps the changes that touch no index cheap.
ALTER TABLE "deliveries" SET (fillfactor = 80);--> statement-breakpoint
ALTER TABLE "delivery_attempts" SET (fillfactor = 80);--> statement-breakpoint
ALTER TABLE "delivery_recipients" SET (fillfactor = 80);

-- Counts within a minute: worth nothing after a crash, and written often.
CREATE UNLOGGED TABLE "rate_limits" (
	"key" varchar(255) PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE INDEX "rate_limits_expire_idx" ON "rate_limits" USING btree ("expire");--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO ticketwire_app;

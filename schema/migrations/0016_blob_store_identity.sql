CREATE TABLE "blob_stores" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "blob_stores_only_check" CHECK ("blob_stores"."only")
);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON blob_stores TO ticketwire_app;--> statement-breakpoint
ALTER TABLE blob_stores ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY desk ON blob_stores USING ((SELECT sees_everything()));--> statement-breakpoint
-- How many rows there really are that name blobs of a range of keys: the collector compares it with what it sees. With row security off,
-- it fails where even the owner's view would be filtered.
CREATE FUNCTION count_blob_rows(lowest text, beyond text,
  OUT blobs int, OUT attachments int, OUT uploads int, OUT open_uploads int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog SET row_security = off AS $$
  SELECT
    (SELECT count(*)::int FROM public.blobs b WHERE b.key >= lowest AND b.key < beyond),
    (SELECT count(*)::int FROM public.attachments a WHERE a.blob_key >= lowest AND a.blob_key < beyond),
    (SELECT count(*)::int FROM public.uploads u WHERE u.blob_key >= lowest AND u.blob_key < beyond),
    (SELECT count(*)::int FROM public.open_uploads o WHERE o.blob_key >= lowest AND o.blob_key < beyond)
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION count_blob_rows(text, text) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION count_blob_rows(text, text) TO ticketwire_app;

CREATE TABLE "message_search" (
	"message_id" integer PRIMARY KEY NOT NULL,
	"words" "tsvector" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "search_progress" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"covered" integer DEFAULT 0 NOT NULL,
	"candidate" integer DEFAULT 0 NOT NULL,
	"fence" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "search_progress_only_check" CHECK ("search_progress"."only")
);
--> statement-breakpoint
-- Waits for the messages that are being written: none can appear below the last id later.
DROP INDEX "messages_words_idx";--> statement-breakpoint
INSERT INTO message_search SELECT id, message_words(body, id) FROM messages;--> statement-breakpoint
INSERT INTO search_progress (covered, candidate)
  SELECT max, max FROM (SELECT coalesce(max(id), 0) AS max FROM messages) m;--> statement-breakpoint
CREATE INDEX "message_search_words_idx" ON "message_search" USING gin ("words");--> statement-breakpoint
-- New entries wait in a list that every search reads: 1 MB keeps it short.
ALTER INDEX message_search_words_idx SET (gin_pending_list_limit = 1024);--> statement-breakpoint
-- The gateway's role has no right to these tables: the functions below alone use them.
ALTER TABLE message_search ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE search_progress ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
/*
 * Whoever changes a body or deletes a message does the same to its words, in the same transaction. If
 * `fill_message_search` has read the old body meanwhile, it finds the key of this row taken and leaves it
 * alone. If it was first, this waits for its commit and replaces its words.
 */
CREATE FUNCTION note_message_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM public.message_search WHERE message_id = OLD.id;
  ELSE
    INSERT INTO public.message_search VALUES (NEW.id, public.message_words(NEW.body, NEW.id))
      ON CONFLICT (message_id) DO UPDATE SET words = excluded.words;
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER message_search AFTER UPDATE OF body OR DELETE ON messages
  FOR EACH ROW EXECUTE FUNCTION note_message_search();--> statement-breakpoint
-- For an import, whose ids may be below those that are covered.
CREATE FUNCTION note_message_words(ids integer[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO public.message_search
    SELECT m.id, public.message_words(m.body, m.id) FROM public.messages m
    WHERE public.sees_everything() AND m.id = ANY (ids) ORDER BY m.id
    ON CONFLICT DO NOTHING;
$$;--> statement-breakpoint
/*
 * Writes the words of messages that lack them, at most so many, and returns how many there were.
 * Messages commit in another order than their ids are drawn, so `covered` follows in two steps. The last id
 * drawn becomes the candidate, with the transactions of that moment as its fence. When all of them have
 * ended, and every message has its words, the candidate is covered. A fence ahead of all transactions comes
 * from another cluster, from which the desk was restored: none of its transactions is under way here.
 */
CREATE FUNCTION fill_message_search(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  progress public.search_progress;
  drawn integer := (SELECT last_value FROM public.messages_id_seq);
  horizon bigint := public.event_horizon();
  ahead bigint := public.xact_offset() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  lacked integer;
BEGIN
  IF NOT public.sees_everything() THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress;
  IF progress.covered >= greatest(drawn, (SELECT max(id) FROM public.messages)) THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN 0; END IF;
  WITH lacking AS (
    SELECT m.id, m.body FROM public.messages m
    WHERE m.id > progress.covered
      AND NOT EXISTS (SELECT FROM public.message_search s WHERE s.message_id = m.id)
    ORDER BY m.id LIMIT most
  ), filled AS (
    INSERT INTO public.message_search SELECT id, public.message_words(body, id) FROM lacking
    ON CONFLICT DO NOTHING
  )
  SELECT count(*) INTO lacked FROM lacking;
  IF lacked < most AND (progress.fence <= horizon OR progress.fence > ahead) THEN
    UPDATE public.search_progress SET covered = progress.candidate, candidate = drawn, fence = ahead;
  END IF;
  RETURN lacked;
END $$;--> statement-breakpoint
-- Reads the words of messages, and the bodies of the newest 1,000 of those that are not covered.
CREATE OR REPLACE FUNCTION find_message_ids(query tsquery, before integer, most integer) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  newest integer := least((before - 1) >> 14, (SELECT max(message_id) >> 14 FROM public.message_search));
  parts integer := 1;
  uncovered integer[];
  by_words integer[] := '{}';
BEGIN
  IF NOT public.sees_everything() OR numnode(query) = 0 THEN RETURN; END IF;
  uncovered := array(
    SELECT s.id FROM (
      SELECT m.id, m.body FROM public.messages m
      WHERE m.id > (SELECT covered FROM public.search_progress) AND m.id < before
      ORDER BY m.id DESC LIMIT 1000
    ) s WHERE public.message_words(s.body, s.id) @@ query);
  WHILE newest >= 0 AND cardinality(by_words) < most LOOP
    by_words := by_words || array(
      SELECT s.message_id FROM (
        SELECT w.message_id FROM public.message_search w
        WHERE w.words @@ (query && public.parts_query(newest, parts)) OFFSET 0
      ) s WHERE s.message_id < before ORDER BY s.message_id DESC LIMIT most);
    newest := newest - parts;
    parts := least(2 * parts, 16);
  END LOOP;
  RETURN QUERY SELECT DISTINCT f.id FROM unnest(uncovered || by_words) f (id) ORDER BY f.id DESC LIMIT most;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION note_message_words(integer[]) FROM PUBLIC;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION fill_message_search(integer) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION note_message_words(integer[]) TO ticketwire_app;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION fill_message_search(integer) TO ticketwire_app;

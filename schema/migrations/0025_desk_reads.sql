-- What a message is found by: its words, whole, and the part of the desk that it is in (16,384 messages each). A search reads the
-- newest part first, then some older ones, and ends with its page: it never collects all that a common word finds in a whole desk.
-- No word begins with #, which the parser takes for a space.
CREATE FUNCTION message_words(body text, id integer) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_tsvector('simple'::regconfig, left(body, 50000)) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
CREATE FUNCTION ticket_words(subject text, id integer) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_tsvector('simple'::regconfig, left(subject, 50000)) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
CREATE TABLE "seen_marks" (
	"user_id" integer NOT NULL,
	"ticket_id" integer NOT NULL,
	"message_id" integer NOT NULL,
	CONSTRAINT "seen_marks_user_id_ticket_id_pk" PRIMARY KEY("user_id","ticket_id")
);
--> statement-breakpoint
CREATE TABLE "ticket_search" (
	"ticket_id" integer PRIMARY KEY NOT NULL,
	"reference_key" text NOT NULL,
	"words" "tsvector" NOT NULL
);
--> statement-breakpoint
-- Dropped before rows are written, and made anew at the end.
DROP INDEX "tickets_requester_idx";--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "active_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "public_active_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "seen_marks" ADD CONSTRAINT "seen_marks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticket_search" ADD CONSTRAINT "ticket_search_ticket_id_tickets_id_fk" FOREIGN KEY ("ticket_id") REFERENCES "public"."tickets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
UPDATE tickets t SET
  active_at = coalesce((SELECT m.created_at FROM messages m WHERE m.id = t.last_message_id), t.created_at),
  public_active_at = coalesce((SELECT m.created_at FROM messages m WHERE m.id = t.last_public_message_id), t.created_at);--> statement-breakpoint
INSERT INTO ticket_search SELECT id, reference_key, ticket_words(subject, id) FROM tickets;--> statement-breakpoint
CREATE INDEX "ticket_search_reference_idx" ON "ticket_search" USING btree ("reference_key" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "ticket_search_words_idx" ON "ticket_search" USING gin ("words");--> statement-breakpoint
CREATE INDEX "deliveries_ticket_state_idx" ON "deliveries" USING btree ("ticket_id","state","id");--> statement-breakpoint
CREATE INDEX "events_public_idx" ON "events" USING btree ("ticket_id","public_number") WHERE public_number is not null;--> statement-breakpoint
CREATE INDEX "messages_words_idx" ON "messages" USING gin (message_words(body, id));--> statement-breakpoint
-- New entries wait in a list that every search reads, and the message that makes it too long sorts it in: 1 MB keeps both short.
ALTER INDEX messages_words_idx SET (gin_pending_list_limit = 1024);--> statement-breakpoint
CREATE INDEX "tickets_active_idx" ON "tickets" USING btree ("status","active_at","id");--> statement-breakpoint
CREATE INDEX "tickets_requester_active_idx" ON "tickets" USING btree ("requester_id","status","public_active_at","id");--> statement-breakpoint
CREATE INDEX "users_email_prefix_idx" ON "users" USING btree (lower("email") text_pattern_ops);--> statement-breakpoint
CREATE INDEX "tickets_requester_idx" ON "tickets" USING btree ("requester_id","status","id");
--> statement-breakpoint
CREATE FUNCTION note_ticket_search() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO public.ticket_search VALUES (NEW.id, lower(NEW.reference), public.ticket_words(NEW.subject, NEW.id))
    ON CONFLICT (ticket_id) DO UPDATE SET reference_key = excluded.reference_key, words = excluded.words;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER ticket_search AFTER INSERT OR UPDATE OF subject, reference ON tickets
  FOR EACH ROW EXECUTE FUNCTION note_ticket_search();--> statement-breakpoint
-- The gateway's role has no right to this table: the functions below alone read it.
ALTER TABLE ticket_search ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON seen_marks TO ticketwire_app;--> statement-breakpoint
ALTER TABLE seen_marks ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY the_desk ON seen_marks USING ((SELECT sees_everything()));--> statement-breakpoint
CREATE POLICY requester ON seen_marks FOR SELECT USING (user_id = (SELECT requester_id()));--> statement-breakpoint
-- Matches what is in so many parts of the desk, the newest of which is `newest`.
CREATE FUNCTION parts_query(newest integer, parts integer) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT string_agg('''#' || part || '''', ' | ') FROM generate_series(newest, newest - parts + 1, -1) part)::tsquery;
--> statement-breakpoint
/*
 * PostgreSQL does not consider matching a text search leakproof, so under row-level security no index is used for it. These functions
 * run as the owner, for those alone who see everything, and return nothing but ids, which their caller joins under the policies. A
 * requester could learn from the time they take what is in others' messages; a requester's own rows are read instead.
 */
CREATE FUNCTION find_message_ids(query tsquery, before integer, most integer) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  newest integer := least((before - 1) >> 14, (SELECT max(id) >> 14 FROM public.messages));
  parts integer := 1;
  found_here integer;
BEGIN
  IF NOT public.sees_everything() OR numnode(query) = 0 THEN RETURN; END IF;
  WHILE newest >= 0 AND most > 0 LOOP
    RETURN QUERY SELECT s.id FROM (
      SELECT m.id FROM public.messages m
      WHERE public.message_words(m.body, m.id) @@ (query && public.parts_query(newest, parts)) OFFSET 0
    ) s WHERE s.id < before ORDER BY s.id DESC LIMIT most;
    GET DIAGNOSTICS found_here = ROW_COUNT;
    most := most - found_here;
    newest := newest - parts;
    parts := least(2 * parts, 16);
  END LOOP;
END $$;--> statement-breakpoint
-- Tickets by words of their subjects, and by the beginning of their references and of their requesters' addresses; the newest first.
CREATE FUNCTION find_ticket_ids(query tsquery, beginning text, before integer, most integer) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  newest integer := least((before - 1) >> 14, (SELECT max(ticket_id) >> 14 FROM public.ticket_search));
  parts integer := 1;
  beyond text := beginning || chr(1114111);
  by_words integer[] := '{}';
BEGIN
  IF NOT public.sees_everything() THEN RETURN; END IF;
  WHILE numnode(query) > 0 AND newest >= 0 AND cardinality(by_words) < most LOOP
    by_words := by_words || array(
      SELECT s.ticket_id FROM (
        SELECT t.ticket_id FROM public.ticket_search t
        WHERE t.words @@ (query && public.parts_query(newest, parts)) OFFSET 0
      ) s WHERE s.ticket_id < before ORDER BY s.ticket_id DESC LIMIT most);
    newest := newest - parts;
    parts := least(2 * parts, 16);
  END LOOP;
  RETURN QUERY SELECT DISTINCT f.id FROM (
    SELECT unnest(by_words) AS id
    UNION ALL (
      SELECT t.ticket_id FROM public.ticket_search t
      WHERE t.reference_key ~>=~ beginning AND t.reference_key ~<~ beyond AND t.ticket_id < before
      ORDER BY t.reference_key USING ~>~ LIMIT most)
    UNION ALL
    SELECT o.id FROM (
      SELECT u.id FROM public.users u
      WHERE lower(u.email) ~>=~ beginning AND lower(u.email) ~<~ beyond ORDER BY lower(u.email) USING ~<~ LIMIT 100
    ) u CROSS JOIN unnest(ARRAY['OPEN', 'CLOSED']) AS s (status) CROSS JOIN LATERAL (
      SELECT t.id FROM public.tickets t
      WHERE t.requester_id = u.id AND t.status = s.status AND t.id < before ORDER BY t.id DESC LIMIT most
    ) o
  ) f ORDER BY f.id DESC LIMIT most;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION find_message_ids(tsquery, integer, integer) FROM PUBLIC;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION find_ticket_ids(tsquery, text, integer, integer) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION find_message_ids(tsquery, integer, integer) TO ticketwire_app;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION find_ticket_ids(tsquery, text, integer, integer) TO ticketwire_app;--> statement-breakpoint
/*
 * `IN (SELECT …)` in a policy, and EXISTS too, becomes a hashed list of everything that the viewer may see: each read of a requester
 * with fifty thousand tickets read all of them. A scalar sub-select is looked up by each row's own key instead.
 */
ALTER POLICY requester ON messages USING (
  visibility = 'PUBLIC' AND (SELECT t.requester_id FROM tickets t WHERE t.id = ticket_id) = (SELECT requester_id()));--> statement-breakpoint
ALTER POLICY requester ON events USING (
  visibility = 'PUBLIC' AND (SELECT t.requester_id FROM tickets t WHERE t.id = ticket_id) = (SELECT requester_id()));--> statement-breakpoint
ALTER POLICY requester ON attachments USING ((SELECT true FROM messages m WHERE m.id = message_id));

/*
 * A requester's own tickets, by words of their subjects and by the beginnings of their references: of each
 * status, the 2,000 with the highest ids below `before`. It runs as the owner, because the gateway's role
 * cannot read the words; it finds the requester by the session's setting, as the policies do, and reads no row
 * of others. The settings and the lookup of each ticket's words by its id keep the plan from depending on what
 * PostgreSQL knows of the requester: it could sort all of their tickets, or read rows of the whole desk.
 */
CREATE FUNCTION find_own_ticket_ids(query tsquery, beginnings text[], before integer) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
SET enable_sort = off SET enable_bitmapscan = off SET enable_seqscan = off SET enable_memoize = off AS $$
DECLARE
  requester integer := public.requester_id();
BEGIN
  RETURN QUERY SELECT o.id FROM unnest(ARRAY['OPEN', 'CLOSED']) s (wanted)
    CROSS JOIN LATERAL (
      SELECT t.id FROM public.tickets t
      WHERE t.requester_id = requester AND (t.status, t.id) > (s.wanted, 0)
        AND (t.status, t.id) < (s.wanted, before)
      ORDER BY t.status DESC, t.id DESC LIMIT 2000
    ) o
    CROSS JOIN LATERAL (
      SELECT w.words, w.reference_key FROM public.ticket_search w WHERE w.ticket_id = o.id OFFSET 0
    ) w
    WHERE w.words @@ query OR w.reference_key ^@ ANY (beginnings);
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION find_own_ticket_ids(tsquery, text[], integer) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION find_own_ticket_ids(tsquery, text[], integer) TO ticketwire_app;

/*
 * Those of the candidates that a query matches and the requester may see: public messages of their own
 * tickets. A message is found by its stored words; of those that have none yet, the newest 2 MB of bodies are
 * read. It runs as the owner, because the gateway's role cannot read the words; it finds the requester by the
 * session's setting, as the policies do. Each row is looked up by its id, whatever PostgreSQL estimates.
 */
CREATE FUNCTION find_own_message_ids(query tsquery, candidates integer[]) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
SET enable_sort = off SET enable_bitmapscan = off SET enable_seqscan = off SET enable_memoize = off AS $$
DECLARE
  requester integer := public.requester_id();
BEGIN
  IF numnode(query) = 0 THEN RETURN; END IF;
  RETURN QUERY SELECT s.id FROM (
    SELECT m.id, m.body, m.format, w.words,
      sum(m.size) FILTER (WHERE w.words IS NULL) OVER (ORDER BY m.id DESC) - m.size AS newer
    FROM unnest(candidates) c (id)
    CROSS JOIN LATERAL (
      SELECT m.id, m.ticket_id, m.body, m.format, least(octet_length(m.body), 50000) AS size
      FROM public.messages m WHERE m.id = c.id AND m.visibility = 'PUBLIC' OFFSET 0
    ) m
    CROSS JOIN LATERAL (
      SELECT FROM public.tickets t WHERE t.id = m.ticket_id AND t.requester_id = requester OFFSET 0
    ) t
    LEFT JOIN LATERAL (
      SELECT w.words FROM public.message_search w WHERE w.message_id = m.id OFFSET 0
    ) w ON true
  ) s
  WHERE CASE WHEN s.words IS NOT NULL THEN s.words @@ query
    ELSE s.newer < 2000000 AND public.message_words(s.body, s.format, s.id) @@ query END;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION find_own_message_ids(tsquery, integer[]) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION find_own_message_ids(tsquery, integer[]) TO ticketwire_app;

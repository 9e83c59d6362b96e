/*
 * The words of a message, as `message_words` made them until now. It fails for a body that PostgreSQL cannot
 * read or take, such as one that damaged storage has lost a part of.
 */
CREATE FUNCTION words_of_body(body text, format text, id integer) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN body_words(body, format) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
/*
 * As before, but a message whose words cannot be made gets the word `#lost` instead, which no query contains.
 * Otherwise it would stop each statement that writes the words of several messages, or reads them for a
 * search, and no message after it would be found. What is not the message's fault still fails.
 */
CREATE OR REPLACE FUNCTION message_words(body text, format text, id integer) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN public.words_of_body(body, format, id);
EXCEPTION WHEN OTHERS THEN
  -- Transactions, locks, resources, an administrator, the operating system.
  IF SQLSTATE ~ '^(25|40|53|55|57|58)' THEN RAISE; END IF;
  RETURN array_to_tsvector(ARRAY['#' || (id >> 14), '#lost']);
END $$;--> statement-breakpoint
/*
 * Tries again to make the words of messages that have `#lost`, of at most so many, chosen at random. Returns
 * those that still fail, with the SQLSTATE: the error's text could quote the message.
 */
CREATE FUNCTION retry_lost_words(most integer) RETURNS TABLE (message integer, code text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF NOT public.sees_everything() THEN RETURN; END IF;
  FOR message IN SELECT s.message_id FROM public.message_search s WHERE s.words @@ '''#lost'''::tsquery
    ORDER BY random() LIMIT most
  LOOP
    BEGIN
      -- The words are locked before the body is read, as in `renew_search_words`.
      PERFORM FROM public.message_search s WHERE s.message_id = message FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
      UPDATE public.message_search s SET words = public.words_of_body(m.body, m.format, m.id)
        FROM public.messages m WHERE m.id = s.message_id AND s.message_id = message;
    EXCEPTION WHEN OTHERS THEN
      IF SQLSTATE ~ '^(25|40|53|55|57|58)' THEN RAISE; END IF;
      code := SQLSTATE;
      RETURN NEXT;
    END;
  END LOOP;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION retry_lost_words(integer) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION retry_lost_words(integer) TO ticketwire_app;

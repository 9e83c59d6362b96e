/*
 * The same words as before, in a third of the time for a text like most subjects: none of the four expressions
 * changes anything in at most 100 letters, digits and these signs. A requester's search makes the words of up
 * to 4,000 subjects.
 */
CREATE OR REPLACE FUNCTION body_words(body text, format text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  IF format <> 'HTML' AND octet_length(body) <= 100 AND body !~ '[^A-Za-z0-9 .,;!?()''"]' THEN
    RETURN to_tsvector('simple'::regconfig, body);
  END IF;
  RETURN to_tsvector('simple'::regconfig, regexp_replace(
    CASE format
      WHEN 'HTML' THEN public.parsed_html(left(body, 50000))
      ELSE public.parsed_text(left(body, 50000))
    END,
    '(?<![-!])-+(?=\d)', ' ', 'g'));
END $$;

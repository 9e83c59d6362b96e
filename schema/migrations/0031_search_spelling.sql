/*
 * A text as it is compared: what looks the same is the same. Accents are part of their letters, quotes and
 * hyphens are those of a keyboard, spaces are spaces, and what cannot be seen is left out. PostgreSQL takes
 * quadratic time for adjacent combining marks (50,000 of them: 23 s), so a text with a long run beyond ASCII
 * is composed in pieces.
 */
CREATE FUNCTION plain_text(written text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF octet_length(written) = length(written) THEN RETURN written; END IF;
  IF written ~ '[^\x01-\x7f]{25}' THEN
    written := (SELECT string_agg(normalize(piece[1], NFC), '' ORDER BY place)
      FROM regexp_matches(written, '.{1,25}', 'g') WITH ORDINALITY AS pieces (piece, place));
  ELSIF written IS NOT NFC NORMALIZED THEN
    written := normalize(written, NFC);
  END IF;
  -- Most texts have none of these, and translate() takes three times as long as all else.
  IF written !~ '[\u00a0\u00ad\u02bc\u2007-\u2011\u2018-\u201e\u202a-\u202f\u2060-\u2069\ufeff]' THEN
    RETURN written;
  END IF;
  RETURN translate(written,
    U&'\2018\2019\02BC\201C\201D\201E\2010\2011\00A0\2007\202F'
      '\00AD\200B\200C\200D\200E\200F\202A\202B\202C\202D\202E\2060\2066\2067\2068\2069\FEFF',
    '''''''"""--   ');
END $$;--> statement-breakpoint
-- A text for PostgreSQL's parsers, of which that of queries splits other places than that of texts: both take
-- the colon and the slashes of an address, a path or a host's port for blanks. The slash of `</p>` stays.
CREATE FUNCTION parsed_text(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN regexp_replace(plain_text(written), '(^|[^<])/+|:(?=\d)', '\1 ', 'g');
--> statement-breakpoint
-- The words of a text's beginning.
CREATE FUNCTION text_words(written text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_tsvector('simple'::regconfig, parsed_text(left(written, 50000)));
--> statement-breakpoint
-- A dash excludes the word that it stands directly before. PostgreSQL would exclude `jam` of `printer - jam`,
-- and fails at 32 dashes in a row.
CREATE FUNCTION text_query(written text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN websearch_to_tsquery('simple'::regconfig,
    regexp_replace(parsed_text(written), '-{2,}|-(?=[\s()!&|:;,.?*<>#''\[\]{}]|$)', ' ', 'g'));
--> statement-breakpoint
CREATE OR REPLACE FUNCTION message_words(body text, id integer) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN text_words(body) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
CREATE OR REPLACE FUNCTION ticket_words(subject text, id integer) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN text_words(subject) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
CREATE OR REPLACE FUNCTION note_ticket_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO public.ticket_search
    VALUES (NEW.id, lower(public.plain_text(NEW.reference)), public.ticket_words(NEW.subject, NEW.id))
    ON CONFLICT (ticket_id) DO UPDATE SET reference_key = excluded.reference_key, words = excluded.words;
  RETURN NULL;
END $$;
-- Words that were written before are written anew by `renew_search_words` of the next migration.

ALTER TABLE "idempotency_keys" DROP COLUMN "warnings";--> statement-breakpoint
-- The subject of a reply. Neither `Re:` nor the reference is ever doubled; line breaks cannot reach a header.
CREATE FUNCTION mail_subject(subject text, reference text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'Re: ' || regexp_replace(regexp_replace(subject, '[\x01-\x1f\x7f\u2028\u2029]+', ' ', 'g'), '^\s*((re|aw|sv|odp)\s*:\s*)+', '', 'i')
    || CASE WHEN strpos(lower(subject), lower('[' || reference || ']')) > 0 THEN '' ELSE ' [' || reference || ']' END;
--> statement-breakpoint
-- When two addresses are one recipient: domains have no case, local parts do (RFC 5321 §2.4).
CREATE FUNCTION address_key(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN substring(address FROM '^(.*)@[^@]*$') || '@' || lower(substring(address FROM '[^@]*$'));

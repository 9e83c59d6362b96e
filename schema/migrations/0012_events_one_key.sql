-- Nothing was read by it: a public number is never greater than the event's own, so both classes of viewers go by the primary key. That
-- public numbers are gapless is seen to where they are given, under the ticket's lock, as their uniqueness was.
DROP INDEX "events_public_key";

-- What the gateway's statements, policies and indexes call. PUBLIC may execute a new function, unless the owner's
-- default privileges revoke that (ALTER DEFAULT PRIVILEGES … REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC).
GRANT EXECUTE ON FUNCTION
  sees_everything(), requester_id(), mail_subject(text, text), xact_offset(), event_place(), event_horizon(),
  plain_text(text), parsed_text(text), parsed_html(text), without_symbols(text), without_references(text),
  without_open_comments(text), joined_words(text), text_words(text), text_query(text), ticket_words(text, integer),
  body_words(text, text), words_of_body(text, text, integer), message_words(text, text, integer),
  parts_query(integer, integer) TO ticketwire_app;--> statement-breakpoint
-- A trigger needs no right. With one, any login of the database could write words of tickets and messages as
-- the owner, by a trigger of its own on a temporary table.
REVOKE EXECUTE ON FUNCTION note_ticket_search(), note_message_search() FROM PUBLIC;

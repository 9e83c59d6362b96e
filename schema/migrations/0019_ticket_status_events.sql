ALTER TABLE "events" DROP CONSTRAINT "events_type_check";--> statement-breakpoint
-- NOT VALID: the rows that are there passed a narrower check, and nobody waits while all of them are read again.
ALTER TABLE "events" ADD CONSTRAINT "events_type_check" CHECK (type in ('MESSAGE_ADDED', 'MESSAGE_REDACTED', 'ATTACHMENT_SCANNED', 'DELIVERY_SENT', 'DELIVERY_PARTIALLY_FAILED', 'DELIVERY_FAILED', 'DELIVERY_DEFERRED', 'DELIVERY_OUTCOME_UNKNOWN', 'DELIVERY_CANCELLED', 'DELIVERY_RETRIED', 'DELIVERY_RESOLVED', 'TICKET_CLOSED', 'TICKET_REOPENED')) NOT VALID;

/*
 * The gateway's role may not delete audit entries. This function deletes those alone that are past the time that the caller names, which
 * is thirty days at least: whoever gets hold of the gateway cannot remove the trace of it. Entries have their ids in the order of their
 * time, so only the oldest ids are looked at, and no index on the time is needed.
 */
CREATE FUNCTION expire_audit_entries(keep_days integer, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  expired integer;
BEGIN
  IF keep_days < 30 OR NOT public.sees_everything() THEN
    RAISE insufficient_privilege USING MESSAGE = 'audit entries are kept for 30 days at least';
  END IF;
  DELETE FROM public.audit_entries WHERE id IN (
    SELECT oldest.id FROM (SELECT id, created_at FROM public.audit_entries ORDER BY id LIMIT most) oldest
    WHERE oldest.created_at < now() - make_interval(days => keep_days));
  GET DIAGNOSTICS expired = ROW_COUNT;
  RETURN expired;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION expire_audit_entries(integer, integer) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION expire_audit_entries(integer, integer) TO ticketwire_app;

-- step: tx
-- From here on every change to the original tables is noted, and the two logs are append-only. The application goes on
-- writing as it did: it need not know tenant_id or seq. Locks writers out for the moment of making the triggers.

-- Runs as the admin: who writes to the originals need not know the queue.
CREATE FUNCTION orka_new.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO orka_new.queue VALUES (nextval('orka_new.arrivals'), TG_TABLE_NAME, OLD.id);
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND OLD.id <> NEW.id) THEN
        INSERT INTO orka_new.queue VALUES (nextval('orka_new.arrivals'), TG_TABLE_NAME, NEW.id);
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION orka_new.note_change() FROM PUBLIC;

DO $triggers$
DECLARE
    source text;
    refused text;
BEGIN
    FOR source IN
        SELECT t FROM orka_new.taken_over() AS t ORDER BY t
    LOOP
        EXECUTE format(
            'CREATE TRIGGER orka_note_change AFTER INSERT OR UPDATE OR DELETE ON public.%I
             FOR EACH ROW EXECUTE FUNCTION orka_new.note_change()', source);
        refused := CASE WHEN source IN ('roche_audit_logs', 'audit_access_log') THEN 'UPDATE OR DELETE OR ' ELSE '' END;
        EXECUTE format(
            'CREATE TRIGGER orka_refuse_change BEFORE %sTRUNCATE ON public.%I
             FOR EACH STATEMENT EXECUTE FUNCTION orka_audit.refuse_change()', refused, source);
        -- Also where a session acts as a replica.
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER orka_note_change', source);
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER orka_refuse_change', source);
    END LOOP;
END
$triggers$;

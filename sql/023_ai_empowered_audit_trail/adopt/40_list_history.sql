-- step: tx
-- What is there now, in the order in which it will be copied: the log by tenant, time and id, then the other tables.
-- What the triggers noted meanwhile may stand here too; it is copied once.
DO $history$
DECLARE
    source text;
    listed bigint := 0;
    added bigint;
BEGIN
    FOR source IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'orka_new'::regnamespace AND c.relkind = 'r'
          AND c.relname NOT IN ('queue', 'progress') AND to_regclass('public.' || c.relname) IS NOT NULL
        ORDER BY c.relname <> 'roche_audit_logs', c.relname
    LOOP
        EXECUTE format(
            'INSERT INTO orka_new.queue SELECT $1 + row_number() OVER (ORDER BY %s), %L, o.id FROM public.%I AS o',
            CASE source
                WHEN 'roche_audit_logs' THEN concat_ws(
                    ', ', orka_new.value_of(source, 'tenant_id'), orka_new.value_of(source, 'timestamp'), 'o.id')
                ELSE 'o.id'
            END, source, source) USING listed;
        GET DIAGNOSTICS added = ROW_COUNT;
        listed := listed + added;
    END LOOP;
END
$history$;
ANALYZE orka_new.queue;

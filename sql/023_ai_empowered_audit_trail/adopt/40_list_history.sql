-- step: tx
-- What is there now, in the order in which it will be copied: the events by tenant, time and id, each with the digest of
-- what it holds; then the rows of the other tables. What the triggers noted meanwhile may stand here too; it is copied
-- once.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
SET LOCAL work_mem = '64MB';
-- The planner does not see what a digest costs, only that many rows would pass between processes.
SET LOCAL parallel_tuple_cost = 0.01;
DO $history$
DECLARE
    source text;
    listed bigint := 0;
    added bigint;
BEGIN
    EXECUTE format(
        'CREATE TABLE orka_new.history AS
         SELECT row_number() OVER (ORDER BY d.tenant_id, d."timestamp", d.id) AS ordinal, d.id, d.tenant_id, d.digest
         FROM (%s) AS d', orka_new.digests('true'));
    FOR source IN
        SELECT t FROM orka_new.taken_over() AS t WHERE t <> 'roche_audit_logs' ORDER BY t
    LOOP
        EXECUTE format(
            'INSERT INTO orka_new.queue SELECT $1 + row_number() OVER (ORDER BY o.id), %L, o.id FROM public.%I AS o',
            source, source) USING listed;
        GET DIAGNOSTICS added = ROW_COUNT;
        listed := listed + added;
    END LOOP;
END
$history$;
ALTER TABLE orka_new.history ADD PRIMARY KEY (ordinal);
ANALYZE orka_new.history;
ANALYZE orka_new.queue;

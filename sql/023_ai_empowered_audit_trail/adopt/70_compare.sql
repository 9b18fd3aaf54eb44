-- step: tx
-- No row is lost: each one is in the new table, or is noted as still to come, or belongs to those that are left in
-- orka_original. This reads all, so it is done before the swap, which must be short.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
DO $compare$
DECLARE
    source text;
    missing bigint;
BEGIN
    -- Which rows of a table count can depend on others that changed since.
    PERFORM orka_new.copy_queue(9223372036854775807, 1000000);
    FOR source IN
        SELECT t FROM orka_new.taken_over() AS t ORDER BY t
    LOOP
        EXECUTE format(
            'SELECT count(*) FROM public.%1$I AS o
             WHERE NOT EXISTS (SELECT FROM orka_new.%1$I AS n WHERE n.id = o.id)
               AND NOT EXISTS (SELECT FROM orka_new.queue AS q
                               WHERE q.table_name = %1$L AND q.id = o.id)
               AND %2$s', source, orka_new.is_taken(source)) INTO missing;
        IF missing > 0 THEN
            RAISE EXCEPTION '% rows of % were not copied', missing, source;
        END IF;
    END LOOP;
END
$compare$;

-- step: tx
-- The only moment at which nobody can read or write: the last arrivals, then names change places. The originals stay
-- as they are in orka_original, closed to everybody. If the catalog is not the contract's, all of it is undone; how it
-- behaves was tried out before, by rehearsal.sql. The first statement takes every lock: after it the runner looks once
-- more whether the originals are as they were recognised.
DO $lock$
DECLARE
    source text;
BEGIN
    -- A row that row security would hide is an error, and not left out.
    SET LOCAL row_security = off;
    -- Those first that nobody but autovacuum has in hand: who waits for it here keeps nobody waiting.
    FOR source IN
        SELECT c.oid::regclass FROM pg_class AS c
        WHERE c.relnamespace = 'orka_new'::regnamespace AND c.relkind = 'r' AND c.relname <> 'queue' ORDER BY c.relname
    LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', source);
    END LOOP;
    LOCK TABLE orka_audit.chain_heads IN ACCESS EXCLUSIVE MODE;
    -- What came while the steps before worked, so that less is left to do under the others' locks.
    PERFORM orka_new.copy_queue(9223372036854775807, 1000000);
    -- The log last: it is the one that others use most.
    FOR source IN
        SELECT t FROM orka_new.taken_over() AS t ORDER BY t = 'roche_audit_logs', t
    LOOP
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', source);
    END LOOP;
    WHILE orka_new.copy_queue(9223372036854775807, 1000000) > 0 LOOP
        NULL;
    END LOOP;
END
$lock$;

-- What is taken from others here, so that adopt/down.sql can give it back. No column: the whole table. The places are
-- the server's, which notes a right after the one that it was handed on from.
CREATE TABLE orka_original.revoked_rights (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    column_name text,
    privilege text NOT NULL,
    grantee text NOT NULL,
    grantable boolean NOT NULL,
    -- None: the owner.
    grantor text
);

DO $away$
<<away>>
DECLARE
    source text;
    grantee text;
BEGIN
    INSERT INTO orka_original.revoked_rights (source, column_name, privilege, grantee, grantable, grantor)
    SELECT
        c.relname, r.column_name, a.privilege_type,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, a.is_grantable,
        CASE WHEN a.grantor <> c.relowner THEN quote_ident(pg_get_userbyid(a.grantor)) END
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT NULL AS column_name, c.relacl AS rights
        UNION ALL
        SELECT f.attname, f.attacl FROM pg_attribute AS f WHERE f.attrelid = c.oid AND NOT f.attisdropped
    ) AS r
    CROSS JOIN LATERAL aclexplode(r.rights) WITH ORDINALITY AS a
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN (SELECT orka_new.taken_over())
      AND a.grantee <> c.relowner
    ORDER BY c.relname, r.column_name NULLS FIRST, a.ordinality;
    FOR source IN
        SELECT t FROM orka_new.taken_over() AS t ORDER BY t
    LOOP
        EXECUTE format('DROP TRIGGER orka_note_change ON public.%I', source);
        FOR grantee IN
            SELECT DISTINCT r.grantee FROM orka_original.revoked_rights AS r WHERE r.source = away.source
        LOOP
            -- What it handed on goes with it; that is noted too.
            EXECUTE format('REVOKE ALL ON public.%I FROM %s CASCADE', source, grantee);
        END LOOP;
        EXECUTE format('ALTER TABLE public.%I SET SCHEMA orka_original', source);
    END LOOP;
    IF to_regprocedure('public.get_current_tenant_id()') IS NOT NULL THEN
        ALTER FUNCTION public.get_current_tenant_id() SET SCHEMA orka_original;
    END IF;
END
$away$;

-- include: adopt/_helpers_gone.sql
-- include: adopt/_closed.sql
SET LOCAL ROLE orka_owner;
DO $in_place$
DECLARE
    target regclass;
BEGIN
    FOR target IN
        SELECT c.oid FROM pg_class AS c
        WHERE c.relnamespace = 'orka_new'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s SET SCHEMA public', target);
    END LOOP;
END
$in_place$;
RESET ROLE;
DROP SCHEMA orka_new;

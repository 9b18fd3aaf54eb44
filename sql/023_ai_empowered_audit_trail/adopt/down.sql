-- Takes 023 back where tables made by hand had been taken over: `ops migrate rollback` runs it in place of ../down.sql,
-- after the same locks and the same comparison with a backup. The originals come back as they were at the swap, with
-- their rights and foreign keys; what was written since is in the backup alone, for their columns are narrower.
DO $free$
DECLARE
    made record;
BEGIN
    -- They hold on to a function that ../down.sql drops.
    FOR made IN
        SELECT t.tgrelid::regclass AS source, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'orka_original'::regnamespace AND t.tgname = 'orka_refuse_change'
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.source);
    END LOOP;
END
$free$;

-- include: down.sql

DO $back$
DECLARE
    source text;
    given record;
BEGIN
    FOR source IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'orka_original'::regnamespace AND c.relkind = 'r'
          AND c.relname NOT IN ('dropped_references', 'revoked_rights')
    LOOP
        EXECUTE format('ALTER TABLE orka_original.%I SET SCHEMA public', source);
    END LOOP;
    IF to_regprocedure('orka_original.get_current_tenant_id()') IS NOT NULL THEN
        ALTER FUNCTION orka_original.get_current_tenant_id() SET SCHEMA public;
    END IF;
    FOR given IN
        SELECT * FROM orka_original.revoked_rights
    LOOP
        EXECUTE format('GRANT %s %s ON public.%I TO %s %s', given.privilege,
            '(' || quote_ident(given.column_name) || ')', given.source, given.grantee,
            CASE WHEN given.grantable THEN 'WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$back$;

-- include: adopt/_references_back.sql

DROP TABLE orka_original.revoked_rights;
DROP TABLE orka_original.dropped_references;
DROP SCHEMA orka_original;

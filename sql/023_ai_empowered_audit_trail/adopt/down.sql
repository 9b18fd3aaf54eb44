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
END
$back$;

DO $rights$
DECLARE
    given record;
    again text;
BEGIN
    FOR given IN
        SELECT * FROM orka_original.revoked_rights AS r ORDER BY r.place
    LOOP
        again := format('GRANT %s %s ON public.%I TO %s %s', given.privilege,
            '(' || quote_ident(given.column_name) || ')', given.source, given.grantee,
            CASE WHEN given.grantable THEN 'WITH GRANT OPTION' ELSE '' END);
        IF given.grantee <> 'PUBLIC' AND to_regrole(given.grantee) IS NULL THEN
            RAISE WARNING '% on public.% is not given back to %, a role that is gone: where another has its place, '
                'GRANT it to that one', given.privilege, given.source, given.grantee;
            CONTINUE;
        END IF;
        IF given.grantor IS NULL THEN
            EXECUTE again;
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('SET LOCAL ROLE %s', given.grantor);
            EXECUTE again;
            RESET ROLE;
        EXCEPTION WHEN undefined_object OR insufficient_privilege OR invalid_parameter_value THEN
            EXECUTE again;
            RAISE WARNING '% on public.% is back with % from the owner: % is gone or may not give it, or the '
                'database user may not act for it', given.privilege, given.source, given.grantee, given.grantor;
        END;
    END LOOP;
END
$rights$;

-- include: adopt/_references_back.sql

DROP TABLE orka_original.revoked_rights;
DROP TABLE orka_original.dropped_references;
DROP SCHEMA orka_original;

-- Takes back an adoption that stopped before its swap: `ops migrate rollback` runs it in one transaction. The tables in
-- use keep every row; only what 10 to 75 made beside them and on them goes. No CASCADE: where something else came to
-- depend on it, nothing is dropped. Who reads is kept out at the end only, after the foreign keys were looked at.

-- include: adopt/_references_back.sql

DO $triggers$
DECLARE
    made record;
BEGIN
    -- The log last: it is the one that others use most.
    FOR made IN
        SELECT c.oid::regclass AS source, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND t.tgname IN ('orka_note_change', 'orka_refuse_change')
        ORDER BY c.relname = 'roche_audit_logs', c.relname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.source);
    END LOOP;
END
$triggers$;

-- include: adopt/_helpers_gone.sql

-- What up.sql made goes by down.sql. It names the schema public, as up.sql does: see 10.
ALTER SCHEMA public RENAME TO orka_public;
ALTER SCHEMA orka_new RENAME TO public;
-- include: down.sql
ALTER SCHEMA public RENAME TO orka_new;
ALTER SCHEMA orka_public RENAME TO public;
REVOKE USAGE, CREATE ON SCHEMA public FROM orka_owner;
REVOKE USAGE ON SCHEMA public FROM orka_app, orka_jobs, orka_readonly;
DROP SCHEMA orka_new;
DROP TABLE IF EXISTS orka_original.dropped_references;
DROP SCHEMA orka_original;

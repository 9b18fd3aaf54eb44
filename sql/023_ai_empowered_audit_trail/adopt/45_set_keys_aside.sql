-- step: tx
-- A million rows go into a table without indexes and the indexes over them in a fraction of the time. Everything is
-- made again, from its own definition, by 55.
CREATE TABLE orka_new.keys (place integer NOT NULL PRIMARY KEY, definition text NOT NULL);
GRANT SELECT, INSERT ON orka_new.keys TO orka_owner;
SET LOCAL ROLE orka_owner;
SET LOCAL search_path = '';
DO $aside$
DECLARE
    key record;
    definitions text[] := '{}';
BEGIN
    FOR key IN
        SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS definition
        FROM pg_index AS i
        WHERE i.indrelid = 'orka_new.roche_audit_logs'::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
    LOOP
        EXECUTE format('DROP INDEX %s', key.name);
        definitions := key.definition || definitions;
    END LOOP;
    FOR key IN
        SELECT c.conrelid::regclass AS owner, c.conname, pg_get_constraintdef(c.oid) AS definition
        FROM pg_constraint AS c
        WHERE c.contype IN ('p', 'u') AND c.conrelid = 'orka_new.roche_audit_logs'::regclass
           OR c.contype = 'f' AND c.confrelid = 'orka_new.roche_audit_logs'::regclass
        -- The foreign keys first: they rest on the others, and come back after them.
        ORDER BY c.contype <> 'f', c.conname
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.owner, key.conname);
        definitions := format('ALTER TABLE %s ADD CONSTRAINT %I %s', key.owner, key.conname, key.definition)
            || definitions;
    END LOOP;
    INSERT INTO orka_new.keys
    SELECT w.place, w.definition FROM unnest(definitions) WITH ORDINALITY AS w (definition, place);
END
$aside$;
RESET ROLE;

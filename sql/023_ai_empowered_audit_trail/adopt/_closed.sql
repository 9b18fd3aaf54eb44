-- The new tables as they will be used: closed to the admin who filled them, with row security and the chain's trigger.
SET LOCAL ROLE orka_owner;
DO $closed$
DECLARE
    target regclass;
BEGIN
    FOR target IN
        SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relowner = 'orka_owner'::regrole
          AND (n.nspname = 'orka_new' OR c.oid = 'orka_audit.chain_heads'::regclass)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', target, session_user);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    END LOOP;
    EXECUTE format('REVOKE ALL ON SCHEMA orka_audit FROM %I', session_user);
    EXECUTE format(
        'REVOKE ALL ON FUNCTION orka_audit.event_digest(orka_new.roche_audit_logs),
         orka_audit.link_hash(text, bigint, bytea), orka_audit.refuse_change() FROM %I', session_user);
    ALTER TABLE orka_new.roche_audit_logs ENABLE TRIGGER roche_audit_logs_chain;
END
$closed$;
RESET ROLE;

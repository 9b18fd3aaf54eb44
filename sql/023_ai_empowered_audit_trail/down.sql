-- Takes 023 back. `ops migrate rollback` runs it in one transaction, after it has locked the tables and found every
-- row in a proven backup. No CASCADE: where something else came to depend on these tables, nothing is dropped.
-- The four roles stay: they belong to the server, logins are members of them, and other databases may use them. So
-- does the extension, which was there before.

SET LOCAL ROLE orka_owner;

DROP FUNCTION
    orka_audit.verify_chain(), orka_audit.tenants_with_events(), orka_audit.chain_head(),
    orka_audit.event_hash(public.roche_audit_logs), orka_audit.event_digest(public.roche_audit_logs),
    orka_audit.link_hash(text, bigint, bytea);
DROP TABLE
    public.audit_ai_predictions, public.audit_bias_metrics, public.audit_access_log, public.audit_scheduled_reports,
    public.audit_integrations, public.audit_ml_models, public.audit_anomalies, public.audit_embeddings,
    public.roche_audit_logs, orka_audit.chain_heads;
DROP FUNCTION
    orka_audit.extend_chain(), orka_audit.refuse_change(), orka_audit.touch_updated_at(), orka_audit.current_tenant(),
    orka_audit.tenant_claim();

-- The default again, which leaves no entry behind.
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
DROP SCHEMA orka_audit;

RESET ROLE;

REVOKE USAGE, CREATE ON SCHEMA public FROM orka_owner;
REVOKE USAGE ON SCHEMA public FROM orka_app, orka_jobs, orka_readonly;
DO $vector$
DECLARE
    home text := (
        SELECT n.nspname
        FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector'
    );
BEGIN
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM orka_owner, orka_app, orka_jobs, orka_readonly', home);
END
$vector$;

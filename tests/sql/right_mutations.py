"""What can be done to rights, owners and memberships, by kind: the comparison of the catalog finds it.

Each query gives the object's name as a finding shows it, and SQL that harms it.
"""

from __future__ import annotations

CLIENTS = "unnest(ARRAY['orka_app', 'orka_jobs', 'orka_readonly', 'orka_app_1']) AS client"
SCHEMAS = (
    "pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee"
)
RIGHTS = {
    "schema that clients create in": f"""
        SELECT format('grant CREATE on schema orka_audit to %s', client),
               format('GRANT CREATE ON SCHEMA orka_audit TO %I', client)
        FROM {CLIENTS}
    """,
    "schema for everybody": """
        SELECT format('grant %s on schema orka_audit to public', v),
               format('GRANT %s ON SCHEMA orka_audit TO PUBLIC', v)
        FROM unnest(ARRAY['USAGE', 'CREATE']) AS v
    """,
    "schema revoked from a role": f"""
        SELECT format('grant %s on schema orka_audit to %s', a.privilege_type, r.rolname),
               format('REVOKE %s ON SCHEMA orka_audit FROM %I', a.privilege_type, r.rolname)
        FROM {SCHEMAS} WHERE n.nspname = 'orka_audit' AND a.grantee <> n.nspowner
    """,
    "schema of another owner": f"""
        SELECT 'schema orka_audit', format('ALTER SCHEMA orka_audit OWNER TO %I', client)
        FROM {CLIENTS}
    """,
}

"""What can be done to rights, owners and memberships, by kind: the comparison of the catalog finds it.

Each query gives the object's name as a finding shows it, and SQL that harms it.
"""

from __future__ import annotations

from tests.sql.mutations import OURS, TABLES

CLIENTS = "unnest(ARRAY['orka_app', 'orka_jobs', 'orka_readonly', 'orka_app_1']) AS client"
SCHEMA_RIGHT = "'grant %s on schema orka_audit to %s', a.privilege_type, r.rolname"
SCHEMA_RIGHTS = """pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    JOIN pg_roles AS r ON r.oid = a.grantee WHERE n.nspname = 'orka_audit' AND a.grantee <> n.nspowner
"""
COLUMN_RIGHT = "x.privilege_type, c.attname, n.nspname, t.relname, r.rolname"
COLUMN_RIGHTS = f"""{TABLES} JOIN pg_attribute AS c ON c.attrelid = t.oid
    CROSS JOIN LATERAL aclexplode(c.attacl) AS x JOIN pg_roles AS r ON r.oid = x.grantee WHERE {OURS}
"""
EXECUTE_RIGHT = (
    "'grant EXECUTE on function orka_audit.%s(%s) to %s',"
    " p.proname, pg_get_function_identity_arguments(p.oid), r.rolname"
)
EXECUTE_RIGHTS = """pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(p.proacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
    WHERE n.nspname = 'orka_audit' AND a.grantee <> p.proowner
"""
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
        SELECT format({SCHEMA_RIGHT}),
               format('REVOKE %s ON SCHEMA orka_audit FROM %I', a.privilege_type, r.rolname)
        FROM {SCHEMA_RIGHTS}
    """,
    "schema of another owner": f"""
        SELECT 'schema orka_audit', format('ALTER SCHEMA orka_audit OWNER TO %I', client)
        FROM {CLIENTS}
    """,
    "right on a schema that may be handed on": f"""
        SELECT format({SCHEMA_RIGHT}),
               format('GRANT %s ON SCHEMA orka_audit TO %I WITH GRANT OPTION', a.privilege_type, r.rolname)
        FROM {SCHEMA_RIGHTS}
    """,
    "right on a table that may be handed on": f"""
        SELECT format('grant %s on %s.%s to %s', a.privilege_type, n.nspname, t.relname, r.rolname),
               format('GRANT %s ON %I.%I TO %I WITH GRANT OPTION',
                      a.privilege_type, n.nspname, t.relname, r.rolname)
        FROM {TABLES} CROSS JOIN LATERAL aclexplode(t.relacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE {OURS} AND t.relkind = 'r' AND a.grantee <> t.relowner
    """,
    "right on a column that may be handed on": f"""
        SELECT format('grant %s (%s) on %s.%s to %s', {COLUMN_RIGHT}),
               format('GRANT %s (%I) ON %I.%I TO %I WITH GRANT OPTION', {COLUMN_RIGHT})
        FROM {COLUMN_RIGHTS}
    """,
    "column revoked from a role": f"""
        SELECT format('grant %s (%s) on %s.%s to %s', {COLUMN_RIGHT}),
               format('REVOKE %s (%I) ON %I.%I FROM %I', {COLUMN_RIGHT})
        FROM {COLUMN_RIGHTS}
    """,
    "column for everybody": f"""
        SELECT format('grant SELECT (%s) on %s.%s to public', c.attname, n.nspname, t.relname),
               format('GRANT SELECT (%I) ON %I.%I TO PUBLIC', c.attname, n.nspname, t.relname)
        FROM {TABLES} JOIN pg_attribute AS c ON c.attrelid = t.oid
        WHERE {OURS} AND t.relkind = 'r' AND c.attnum > 0
    """,
    "function that may be handed on": f"""
        SELECT format({EXECUTE_RIGHT}),
               format('GRANT EXECUTE ON FUNCTION %s TO %I WITH GRANT OPTION', p.oid::regprocedure, r.rolname)
        FROM {EXECUTE_RIGHTS}
    """,
    "function revoked from a role": f"""
        SELECT format({EXECUTE_RIGHT}),
               format('REVOKE EXECUTE ON FUNCTION %s FROM %I', p.oid::regprocedure, r.rolname)
        FROM {EXECUTE_RIGHTS}
    """,
    "member of the owner": f"""
        SELECT format('member %s of orka_owner', client), format('GRANT orka_owner TO %I', client)
        FROM {CLIENTS}
    """,
    "member that lets others in": """
        SELECT format('member %s of %s', m.rolname, g.rolname),
               format('GRANT %I TO %I WITH ADMIN OPTION', g.rolname, m.rolname)
        FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid
        JOIN pg_roles AS m ON m.oid = a.member
        WHERE g.rolname IN ('orka_app', 'orka_jobs', 'orka_readonly') AND NOT m.rolsuper
    """,
    "group in another group": """
        SELECT format('role %s', one), format('GRANT %I TO %I', other, one)
        FROM unnest(ARRAY['orka_app', 'orka_jobs', 'orka_readonly']) AS one
        CROSS JOIN unnest(ARRAY['orka_app', 'orka_jobs', 'orka_readonly', 'pg_read_all_data']) AS other
        WHERE one <> other
    """,
}

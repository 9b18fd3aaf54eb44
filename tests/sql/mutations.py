"""What can be done to a live catalog, by kind.

Each query gives the object's name as a finding shows it, and SQL that harms it.
"""

from __future__ import annotations

TABLES = "(pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace)"
OURS = "n.nspname IN ('public', 'orka_audit')"
MUTATIONS = {
    "dropped index": f"""
        SELECT format('index %s.%s.%s', n.nspname, t.relname, i.relname),
               format('DROP INDEX %I.%I', n.nspname, i.relname)
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN {TABLES} ON t.oid = x.indrelid
        WHERE {OURS} AND NOT EXISTS (
            SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u'))
    """,
    "invalid index": f"""
        SELECT format('index %s.%s.%s', n.nspname, t.relname, i.relname),
               format('UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s', i.oid)
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN {TABLES} ON t.oid = x.indrelid
        WHERE {OURS}
    """,
    "dropped constraint": f"""
        SELECT format('constraint %s.%s.%s', n.nspname, t.relname, c.conname),
               format('ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE', n.nspname, t.relname, c.conname)
        FROM pg_constraint AS c JOIN {TABLES} ON t.oid = c.conrelid
        WHERE {OURS} AND c.contype <> 'n'
    """,
    "nullable column": f"""
        SELECT format('column %s.%s.%s', n.nspname, t.relname, a.attname),
               format('ALTER TABLE %I.%I ALTER COLUMN %I DROP NOT NULL', n.nspname, t.relname, a.attname)
        FROM pg_attribute AS a JOIN {TABLES} ON t.oid = a.attrelid
        WHERE {OURS} AND t.relkind = 'r' AND a.attnum > 0 AND a.attnotnull
          AND NOT EXISTS (
            SELECT FROM pg_index AS x
            WHERE x.indrelid = t.oid AND x.indisprimary AND a.attnum = ANY(x.indkey))
    """,
    "dropped policy": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, t.relname)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE {OURS}
    """,
    "policy for everybody": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('ALTER POLICY %I ON %I.%I TO PUBLIC', p.polname, n.nspname, t.relname)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE {OURS}
    """,
    "policy without tenant": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('ALTER POLICY %I ON %I.%I %s', p.polname, n.nspname, t.relname,
                      CASE p.polcmd WHEN 'a' THEN 'WITH CHECK (true)' ELSE 'USING (true)' END)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE n.nspname = 'public'
    """,
    "row security off": f"""
        SELECT format('row security of %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "row security not forced": f"""
        SELECT format('row security of %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "other owner": f"""
        SELECT format('table %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I OWNER TO orka_app', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "dropped table": f"""
        SELECT format('table %s.%s', n.nspname, t.relname),
               format('DROP TABLE %I.%I CASCADE', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "dropped trigger": f"""
        SELECT format('trigger %s.%s.%s', n.nspname, t.relname, g.tgname),
               format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, t.relname)
        FROM pg_trigger AS g JOIN {TABLES} ON t.oid = g.tgrelid
        WHERE {OURS} AND NOT g.tgisinternal
    """,
    "disabled trigger": f"""
        SELECT format('trigger %s.%s.%s', n.nspname, t.relname, g.tgname),
               format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, t.relname, g.tgname)
        FROM pg_trigger AS g JOIN {TABLES} ON t.oid = g.tgrelid
        WHERE {OURS} AND NOT g.tgisinternal
    """,
    "revoked from a role": f"""
        SELECT format('grant %s on %s.%s to %s', a.privilege_type, n.nspname, t.relname, r.rolname),
               format('REVOKE %s ON %I.%I FROM %I', a.privilege_type, n.nspname, t.relname, r.rolname)
        FROM {TABLES} CROSS JOIN LATERAL aclexplode(t.relacl) AS a
        JOIN pg_roles AS r ON r.oid = a.grantee WHERE {OURS} AND t.relkind = 'r' AND r.oid <> t.relowner
    """,
    "granted to everybody": f"""
        SELECT format('grant %s on %s.%s to public', v, n.nspname, t.relname),
               format('GRANT %s ON %I.%I TO PUBLIC', v, n.nspname, t.relname)
        FROM {TABLES}
        CROSS JOIN unnest(
            ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS v
        WHERE {OURS} AND t.relkind = 'r'
    """,
    "function for everybody": """
        SELECT format('grant EXECUTE on function orka_audit.%s(%s) to public', p.proname,
                      pg_get_function_identity_arguments(p.oid)),
               format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', p.oid::regprocedure)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'
    """,
    "function with an open search path": """
        SELECT format('function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               format('ALTER FUNCTION %s RESET search_path', p.oid::regprocedure)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        -- A bound body has no search path that could be opened.
        WHERE n.nspname = 'orka_audit' AND p.prosqlbody IS NULL
    """,
    "function with another bound body": """
        SELECT format('function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               replace(
                   pg_get_functiondef(p.oid), 'RETURN ', 'RETURN NULL::' || p.prorettype::regtype || ' || ')
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = 'orka_audit' AND p.prosqlbody IS NOT NULL
    """,
    "function with the other security": """
        SELECT format('function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               format('ALTER FUNCTION %s SECURITY %s', p.oid::regprocedure,
                      CASE WHEN p.prosecdef THEN 'INVOKER' ELSE 'DEFINER' END)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'
    """,
    "view with its owner's rights": f"""
        SELECT format('view public.over_%s', t.relname),
               format('CREATE VIEW public.over_%s AS SELECT * FROM %I.%I', t.relname, n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "rule that swallows what is written": f"""
        SELECT format('rule %s.%s.swallow', n.nspname, t.relname),
               format('CREATE RULE swallow AS ON INSERT TO %I.%I DO INSTEAD NOTHING', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "group that logs in or bypasses": """
        SELECT format('role %s', rolname), format('ALTER ROLE %I %s', rolname, attribute)
        FROM pg_roles CROSS JOIN unnest(ARRAY['LOGIN', 'BYPASSRLS', 'SUPERUSER', 'CREATEROLE']) AS attribute
        WHERE rolname IN ('orka_owner', 'orka_app', 'orka_jobs', 'orka_readonly')
    """,
}

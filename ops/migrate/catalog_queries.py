"""How the catalog is asked for what the contract speaks of; `catalog.py` puts the answers together."""

from __future__ import annotations

# Each query gives (oid of the table, name, ...); %s is the list of those oids.
COLUMNS = """
    SELECT a.attrelid, a.attname,
           format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || CASE WHEN a.attcollation <> y.typcollation
              THEN ' collate ' || a.attcollation::regcollation ELSE '' END
           || coalesce(CASE WHEN a.attgenerated = '' THEN ' default ' ELSE ' generated as ' END
                       || pg_get_expr(d.adbin, d.adrelid), '')
           || CASE WHEN a.attidentity = '' THEN '' ELSE ' from a sequence' END
    FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# NOT NULL stands with the columns: version 18 lists it as a constraint too, older ones do not.
CONSTRAINTS = """
    SELECT conrelid, conname, pg_get_constraintdef(oid)
           -- A superuser can disable the triggers that look after a reference.
           || CASE WHEN EXISTS (SELECT FROM pg_trigger AS g
                                WHERE g.tgconstraint = c.oid AND g.tgenabled IN ('D', 'R'))
              THEN ' [disabled]' ELSE '' END
    FROM pg_constraint AS c
    WHERE conrelid = ANY(%s) AND contype <> 'n' AND conparentid = 0 ORDER BY conname
"""
INDEXES = """
    SELECT i.indrelid, c.relname, pg_get_indexdef(i.indexrelid)
           || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' INVALID' END
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY(%s) ORDER BY c.relname
"""
POLICIES = """
    SELECT p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
           (SELECT array_agg(coalesce(r.rolname::text, 'public') ORDER BY r.rolname)
            FROM unnest(p.polroles) AS member LEFT JOIN pg_roles AS r ON r.oid = member),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
    FROM pg_policy AS p WHERE p.polrelid = ANY(%s) ORDER BY p.polname
"""
TRIGGERS = """
    SELECT tgrelid, tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger
    WHERE tgrelid = ANY(%s) AND NOT tgisinternal ORDER BY tgname
"""
GRANTS = """
    SELECT g.relid, coalesce(r.rolname::text, 'public'),
           g.privilege || CASE WHEN bool_or(g.is_grantable) THEN ' WITH GRANT OPTION' ELSE '' END
    FROM (
        SELECT c.oid AS relid, c.relowner, a.grantee, a.privilege_type AS privilege, a.is_grantable
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a WHERE c.oid = ANY(%s)
        UNION ALL
        SELECT c.oid, c.relowner, x.grantee, format('%%s (%%s)', x.privilege_type, t.attname), x.is_grantable
        FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid
        CROSS JOIN LATERAL aclexplode(t.attacl) AS x WHERE c.oid = ANY(%s)
    ) AS g LEFT JOIN pg_roles AS r ON r.oid = g.grantee
    WHERE g.grantee <> g.relowner GROUP BY g.relid, r.rolname, g.privilege ORDER BY 2, g.privilege
"""
FUNCTIONS = """
    SELECT format('%%s.%%s(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           format('%%s %%s%%s%%s security %%s returns %%s%%s', l.lanname,
                  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
                  CASE WHEN p.proisstrict THEN ' strict' ELSE '' END,
                  CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END,
                  CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END, pg_get_function_result(p.oid),
                  coalesce(' set ' || array_to_string(p.proconfig, ', '), '')),
           pg_get_userbyid(p.proowner),
           -- Which path it is, is the installation's matter; that it is one, and not its users' own, is ours.
           CASE WHEN p.proname = 'tenant_claim'
                     AND pg_get_function_sqlbody(p.oid) ~ '^RETURN ARRAY[[](''([^'']|'''')+''::text(, )?)+]$'
                     AND pg_get_function_sqlbody(p.oid) !~ '''(raw_)?user_meta_?data'''
                THEN 'a path in the claims'
                ELSE left(encode(sha256(convert_to(
                    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'), 16) END,
           (SELECT array_agg(g.grantee ORDER BY g.grantee) FROM (
                SELECT coalesce(r.rolname::text, 'public')
                       || CASE WHEN bool_or(a.is_grantable) THEN ' WITH GRANT OPTION' ELSE '' END AS grantee
                FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
                LEFT JOIN pg_roles AS r ON r.oid = a.grantee WHERE a.grantee <> p.proowner
                GROUP BY r.rolname) AS g)
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    WHERE n.nspname = %s ORDER BY 1
"""
SCHEMAS = """
    SELECT n.nspname, pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.nspname = %s
"""
SCHEMA_GRANTS = """
    SELECT coalesce(r.rolname::text, 'public'),
           a.privilege_type || CASE WHEN bool_or(a.is_grantable) THEN ' WITH GRANT OPTION' ELSE '' END
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    LEFT JOIN pg_roles AS r ON r.oid = a.grantee
    WHERE n.nspname = %s AND a.grantee <> n.nspowner
    GROUP BY r.rolname, a.privilege_type ORDER BY 1, 2
"""
ROLES = """
    SELECT r.rolname,
           concat_ws(' ', CASE WHEN r.rolcanlogin THEN 'login' ELSE 'nologin' END,
                     CASE WHEN r.rolsuper THEN 'superuser' END,
                     CASE WHEN r.rolbypassrls THEN 'bypassrls' END,
                     CASE WHEN r.rolcreaterole THEN 'createrole' END,
                     CASE WHEN r.rolcreatedb THEN 'createdb' END,
                     CASE WHEN r.rolreplication THEN 'replication' END,
                     (SELECT 'member of ' || string_agg(g.rolname, ', ' ORDER BY g.rolname)
                      FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
                      WHERE m.member = r.oid))
    FROM pg_roles AS r WHERE r.rolname = ANY(%s) ORDER BY r.rolname
"""

"""What can be done to columns, keys, indexes, triggers and functions, by kind: the comparison finds it.

Each query gives the object's name as a finding shows it, and SQL that harms it.
"""

from __future__ import annotations

from tests.sql.mutations import OURS, TABLES

COLUMN = "'column %s.%s.%s', n.nspname, t.relname, a.attname"
COLUMNS = f"""{TABLES} JOIN pg_attribute AS a ON a.attrelid = t.oid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE {OURS} AND t.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
ALTERED = "ALTER TABLE %I.%I ALTER COLUMN %I"
CONSTRAINT = "'constraint %s.%s.%s', n.nspname, t.relname, c.conname"
CONSTRAINTS = f"pg_constraint AS c JOIN {TABLES} ON t.oid = c.conrelid WHERE {OURS}"
REPLACED = "ALTER TABLE %I.%I DROP CONSTRAINT %I, ADD CONSTRAINT %I"
TRIGGER = "'trigger %s.%s.%s', n.nspname, t.relname, g.tgname"
TRIGGERS = f"pg_trigger AS g JOIN {TABLES} ON t.oid = g.tgrelid WHERE {OURS} AND NOT g.tgisinternal"
FUNCTION = "'function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)"
FUNCTIONS = "pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'"
DEFINITIONS = {
    "dropped column": f"""
        SELECT format({COLUMN}),
               format('ALTER TABLE %I.%I DROP COLUMN %I CASCADE', n.nspname, t.relname, a.attname)
        FROM {COLUMNS}
    """,
    # By hand: policies, keys and functions that use a column refuse the statement.
    "column of another type": f"""
        SELECT format({COLUMN}),
               format('UPDATE pg_attribute SET %s WHERE attrelid = %s AND attnum = %s',
                      CASE WHEN a.atttypmod > 5 THEN 'atttypmod = atttypmod + 1'
                           ELSE format('atttypid = %s', CASE a.atttypid WHEN 25 THEN 17 ELSE 25 END) END,
                      t.oid, a.attnum)
        FROM {COLUMNS}
    """,
    "column without its default": f"""
        SELECT format({COLUMN}), format('{ALTERED} DROP DEFAULT', n.nspname, t.relname, a.attname)
        FROM {COLUMNS} AND d.oid IS NOT NULL
    """,
    "column with another default": f"""
        SELECT format({COLUMN}),
               format('{ALTERED} SET DEFAULT CASE WHEN true THEN %s END', n.nspname, t.relname, a.attname,
                      coalesce(pg_get_expr(d.adbin, d.adrelid),
                               'NULL::' || format_type(a.atttypid, a.atttypmod)))
        FROM {COLUMNS}
    """,
    "column with a sequence": f"""
        SELECT format({COLUMN}),
               format('{ALTERED} ADD GENERATED ALWAYS AS IDENTITY', n.nspname, t.relname, a.attname)
        FROM {COLUMNS} AND a.attnotnull AND d.oid IS NULL
          AND a.atttypid IN ('integer'::regtype, 'bigint'::regtype)
    """,
    "column sorted otherwise": f"""
        SELECT format({COLUMN}),
               format('UPDATE pg_attribute SET attcollation = %s WHERE attrelid = %s AND attnum = %s',
                      '"C"'::regcollation::oid, t.oid, a.attnum)
        FROM {COLUMNS} AND a.attcollation <> 0
    """,
    "column that must not be empty": f"""
        SELECT format({COLUMN}), format('{ALTERED} SET NOT NULL', n.nspname, t.relname, a.attname)
        FROM {COLUMNS} AND NOT a.attnotnull
    """,
    "check of something else": f"""
        SELECT format({CONSTRAINT}),
               format('{REPLACED} CHECK (true)', n.nspname, t.relname, c.conname, c.conname)
        FROM {CONSTRAINTS} AND c.contype = 'c'
    """,
    "constraint that does not hold for old rows": f"""
        SELECT format({CONSTRAINT}),
               format('{REPLACED} %s NOT VALID', n.nspname, t.relname, c.conname, c.conname,
                      pg_get_constraintdef(c.oid))
        FROM {CONSTRAINTS} AND c.contype IN ('c', 'f')
    """,
    "reference looked at late": f"""
        SELECT format({CONSTRAINT}),
               format('ALTER TABLE %I.%I ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED',
                      n.nspname, t.relname, c.conname)
        FROM {CONSTRAINTS} AND c.contype = 'f'
    """,
    "reference that is not looked at": f"""
        SELECT format({CONSTRAINT}),
               format('ALTER TABLE %s DISABLE TRIGGER %I', g.tgrelid::regclass, g.tgname)
        FROM pg_trigger AS g JOIN {CONSTRAINTS.replace(" WHERE ", " ON c.oid = g.tgconstraint WHERE ", 1)}
          AND c.contype = 'f'
    """,
    "index of something else": f"""
        SELECT format('index %s.%s.%s', n.nspname, t.relname, i.relname),
               format('DROP INDEX %I.%I; CREATE INDEX %I ON %I.%I ((1))',
                      n.nspname, i.relname, i.relname, n.nspname, t.relname)
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN {TABLES} ON t.oid = x.indrelid
        WHERE {OURS} AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid)
    """,
    "trigger that fires otherwise": f"""
        SELECT format({TRIGGER}),
               format('ALTER TABLE %I.%I ENABLE %s TRIGGER %I', n.nspname, t.relname, state, g.tgname)
        FROM unnest(ARRAY['', 'REPLICA']) AS state CROSS JOIN {TRIGGERS}
          AND NOT (state = '' AND g.tgenabled = 'O')
    """,
    "trigger that never fires": f"""
        SELECT format({TRIGGER}),
               replace(replace(pg_get_triggerdef(g.oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'),
                       ' EXECUTE ', ' WHEN (false) EXECUTE ')
        FROM {TRIGGERS} AND g.tgqual IS NULL
    """,
    "trigger of somebody else": f"""
        SELECT format('trigger %s.%s.more', n.nspname, t.relname),
               format('CREATE TRIGGER more BEFORE INSERT ON %I.%I FOR EACH ROW'
                      ' EXECUTE FUNCTION orka_audit.refuse_change()', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "dropped function": f"""
        SELECT format({FUNCTION}), format('DROP FUNCTION %s CASCADE', p.oid::regprocedure)
        FROM {FUNCTIONS}
    """,
    "function with another body": f"""
        SELECT format({FUNCTION}), replace(pg_get_functiondef(p.oid), p.prosrc, p.prosrc || ' -- another ')
        FROM {FUNCTIONS} AND p.prosqlbody IS NULL
    """,
    "function of another owner": f"""
        SELECT format({FUNCTION}), format('ALTER FUNCTION %s OWNER TO orka_app', p.oid::regprocedure)
        FROM {FUNCTIONS}
    """,
    "function that does nothing for NULL": f"""
        SELECT format({FUNCTION}), format('ALTER FUNCTION %s STRICT', p.oid::regprocedure)
        FROM {FUNCTIONS} AND NOT p.proisstrict
    """,
    "function believed to leak nothing": f"""
        SELECT format({FUNCTION}), format('ALTER FUNCTION %s LEAKPROOF', p.oid::regprocedure)
        FROM {FUNCTIONS} AND NOT p.proleakproof
    """,
}

-- step: tx
-- The tables of up.sql, empty, beside those that are there: in orka_new, where nobody looks. Then a look whether every
-- row will fit. If one does not, nothing of this step stays. It takes no lock on the tables that are there.

-- up.sql names the schema public. While this transaction has given that name to an empty schema, it makes its tables
-- there; every other session goes on with the real one, whose renaming it never sees.
ALTER SCHEMA public RENAME TO orka_public;
CREATE SCHEMA public;
-- include: up.sql
RESET ROLE;
ALTER SCHEMA public RENAME TO orka_new;
ALTER SCHEMA orka_public RENAME TO public;
GRANT USAGE, CREATE ON SCHEMA public TO orka_owner;
GRANT USAGE ON SCHEMA public TO orka_app, orka_jobs, orka_readonly;
REVOKE ALL ON SCHEMA orka_new FROM orka_app, orka_jobs, orka_readonly;
CREATE SCHEMA orka_original;

-- Until the swap the admin fills the new tables; the swap takes all of this back and the contract is compared after.
SET LOCAL ROLE orka_owner;
DO $open$
DECLARE
    target text;
BEGIN
    FOR target IN
        SELECT c.oid::regclass FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND (n.nspname = 'orka_new' OR c.oid = 'orka_audit.chain_heads'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', target, session_user);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA orka_audit TO %I', session_user);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION orka_audit.event_digest(orka_new.roche_audit_logs),
         orka_audit.link_hash(text, bigint, bytea), orka_audit.refuse_change() TO %I', session_user);
END
$open$;
-- It would give the rows of the past the time of their copying.
ALTER TABLE orka_new.roche_audit_logs DISABLE TRIGGER roche_audit_logs_chain;
RESET ROLE;

-- How far the copying has come. `began` stands for a time that is missing: the same one whenever a row is read.
CREATE TABLE orka_new.progress (copied_to bigint NOT NULL, began timestamptz NOT NULL PRIMARY KEY);
INSERT INTO orka_new.progress VALUES (0, now());

-- The original column or, where it is missing or NULL, what stands for it; in the type of the new column.
CREATE FUNCTION orka_new.value_of(target text, wanted text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    source text := coalesce((
        SELECT format('o.%I', a.attname) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = to_regclass('public.' || target) AND a.attname = wanted AND NOT a.attisdropped), 'NULL');
    has_created constant boolean := EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = to_regclass('public.' || target) AND a.attname = 'created_at');
    -- As a literal: a subquery would keep the planner from using several cores.
    began constant text := (
        SELECT quote_literal(to_char(p.began AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00')
        FROM orka_new.progress AS p);
    type text;
    required boolean;
    fallback text;
BEGIN
    SELECT pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    INTO type, required, fallback
    FROM pg_catalog.pg_attribute AS a
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ('orka_new.' || target)::regclass AND a.attname = wanted;
    CASE
        WHEN wanted = 'tenant_id' AND required THEN
            -- The quarantine tenant: rows that belonged to nobody, and were visible to everybody.
            fallback := quote_literal('00000000-0000-4000-8000-000000000023');
        WHEN target = 'roche_audit_logs' AND wanted = 'timestamp' THEN
            fallback := CASE WHEN has_created THEN 'o.created_at, ' ELSE '' END || began;
        WHEN target = 'roche_audit_logs' AND wanted = 'created_at' THEN
            fallback := 'o."timestamp", ' || began;
        WHEN target = 'roche_audit_logs' AND wanted IN ('seq', 'previous_hash', 'hash') THEN
            -- Its place in the new chain.
            source := format('l.%I', wanted);
        WHEN target = 'audit_ml_models' AND wanted = 'is_active' THEN
            -- One active model per tenant and type: the newest.
            source := '(o.is_active AND NOT EXISTS (
                SELECT FROM public.audit_ml_models AS x
                WHERE x.is_active AND x.model_type = o.model_type AND x.tenant_id IS NOT DISTINCT FROM o.tenant_id
                  AND (coalesce(x.training_date, ''-infinity''), x.id)
                      > (coalesce(o.training_date, ''-infinity''), o.id)))';
        ELSE
            NULL;
    END CASE;
    IF required AND fallback IS NOT NULL THEN
        source := format('coalesce(%s, %s)', source, fallback);
    END IF;
    RETURN format('(%s)::%s', source, type);
END
$$;

-- All columns of a new table, in its order, as values of the original's row `o` and, for the log, of its link `l`.
CREATE FUNCTION orka_new.values_of(target text) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT string_agg(format('%s AS %I', orka_new.value_of(target, a.attname), a.attname), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ('orka_new.' || target)::regclass AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The originals' rows `o` of which a condition is true, as the new table will hold them; the log's without their links.
CREATE FUNCTION orka_new.unlinked(target text, condition text) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT format(
        'SELECT %s FROM public.%I AS o
         CROSS JOIN (VALUES (1, repeat(''0'', 64), repeat(''0'', 64))) AS l (seq, previous_hash, hash)
         WHERE %s', orka_new.values_of(target), target, condition)
$$;

-- The tables that are taken over: those of up.sql whose originals are there. The others here only help the copying.
CREATE FUNCTION orka_new.taken_over() RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT c.relname::text FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = 'orka_new'::regnamespace AND c.relkind = 'r'
      AND c.relname NOT IN ('queue', 'progress', 'history', 'keys') AND to_regclass('public.' || c.relname) IS NOT NULL
$$;

-- Every CHECK of the new tables against every row that will be copied; each table is read once.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
DO $fit$
DECLARE
    rules record;
    misfits bigint [];
    faults text[] := '{}';
BEGIN
    FOR rules IN
        SELECT
            r.relname,
            array_agg(c.conname ORDER BY c.conname) AS names,
            string_agg(
                format('count(*) FILTER (WHERE NOT %s)', substring(pg_get_constraintdef(c.oid) FROM 'CHECK (.*)')),
                ', ' ORDER BY c.conname) AS counts
        FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid
        WHERE c.contype = 'c' AND r.relnamespace = 'orka_new'::regnamespace
          AND r.relname IN (SELECT orka_new.taken_over())
        GROUP BY r.relname ORDER BY r.relname
    LOOP
        EXECUTE format('SELECT ARRAY[%s] FROM (%s) AS copied', rules.counts, orka_new.unlinked(rules.relname, 'true'))
        INTO misfits;
        FOR rule IN 1 .. cardinality(misfits) LOOP
            IF misfits[rule] > 0 THEN
                faults := faults || format('%s rows of %s break %s', misfits[rule], rules.relname, rules.names[rule]);
            END IF;
        END LOOP;
    END LOOP;
    IF faults <> '{}' THEN
        RAISE EXCEPTION 'rows do not fit, correct them first: %', array_to_string(faults, '; ')
            USING ERRCODE = 'check_violation';
    END IF;
END
$fit$;

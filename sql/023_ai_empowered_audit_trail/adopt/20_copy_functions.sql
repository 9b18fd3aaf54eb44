-- step: tx
-- What the later steps call; the swap drops all of it.

-- What is to be copied: the history, then, from `arrivals` on, what came since.
CREATE TABLE orka_new.queue (
    ordinal bigint NOT NULL PRIMARY KEY,
    table_name text NOT NULL,
    id uuid NOT NULL
);
CREATE SEQUENCE orka_new.arrivals MINVALUE 1000000000000;

-- What 75 drops, so that the ways back can put it back: undo.sql before the swap, adopt/down.sql after it.
CREATE TABLE orka_original.dropped_references (
    source text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    comment text,
    PRIMARY KEY (source, name)
);

-- Which rows of a derived table are taken over; the others stay in orka_original. They can be computed again.
CREATE FUNCTION orka_new.is_taken(target text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = ''
AS $$
    SELECT CASE
        WHEN target IN ('audit_embeddings', 'audit_anomalies', 'audit_ai_predictions') THEN
            -- Its event is in another tenant, or in quarantine.
            'EXISTS (SELECT FROM orka_new.roche_audit_logs AS e WHERE e.id = o.audit_event_id
                AND e.tenant_id = o.tenant_id)'
            || CASE WHEN target = 'audit_embeddings' THEN ' AND o.embedding IS NOT NULL' ELSE '' END
        WHEN target = 'audit_ml_models' THEN
            -- Shared models could be there twice: the newest counts.
            'NOT EXISTS (SELECT FROM public.audit_ml_models AS x
                WHERE x.model_type = o.model_type AND x.model_version = o.model_version
                  AND x.tenant_id IS NOT DISTINCT FROM o.tenant_id
                  AND (coalesce(x.training_date, ''-infinity''), x.id)
                      > (coalesce(o.training_date, ''-infinity''), o.id))'
        ELSE 'true'
    END
$$;

-- The events `o` of which a condition is true: whose, when, and the digest of what they hold. OFFSET 0 keeps the digests
-- below a sort on top of it, where several cores can share them.
CREATE FUNCTION orka_new.digests(condition text) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT format(
        'SELECT v.id, v.tenant_id, v."timestamp", orka_audit.event_digest(v::orka_new.roche_audit_logs) AS digest
         FROM (%s) AS v OFFSET 0', orka_new.unlinked('roche_audit_logs', condition))
$$;

-- The links of the events between two ordinals, as continuations of the chains; the heads are moved on. Who reads it says
-- by a LIMIT how many that are: a large batch then reads the originals in their order, a few arrivals one by one.
CREATE FUNCTION orka_new.links(after bigint, up_to bigint)
RETURNS TABLE (id uuid, seq bigint, previous_hash text, hash text)
LANGUAGE plpgsql ROWS 1000000 SET search_path = ''
AS $$
DECLARE
    event record;
    tenant uuid;
BEGIN
    FOR event IN
        SELECT h.id, h.tenant_id, h.digest FROM orka_new.history AS h
        WHERE h.ordinal > after AND h.ordinal <= up_to ORDER BY h.ordinal
    LOOP
        IF tenant IS DISTINCT FROM event.tenant_id THEN
            PERFORM orka_new.save_head(tenant, seq, hash);
            tenant := event.tenant_id;
            SELECT h.seq, h.hash INTO seq, hash FROM orka_audit.chain_heads AS h WHERE h.tenant_id = tenant;
            IF NOT FOUND THEN
                seq := 0;
                hash := repeat('0', 64);
            END IF;
        END IF;
        id := event.id;
        seq := seq + 1;
        previous_hash := hash;
        hash := orka_audit.link_hash(previous_hash, seq, event.digest);
        RETURN NEXT;
    END LOOP;
    PERFORM orka_new.save_head(tenant, seq, hash);
END
$$;

CREATE FUNCTION orka_new.save_head(tenant uuid, seq bigint, hash text) RETURNS void
LANGUAGE sql SET search_path = ''
AS $$
    INSERT INTO orka_audit.chain_heads AS h SELECT tenant, seq, hash WHERE tenant IS NOT NULL
    ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
$$;

-- Raise, naming the first of these rows of the originals that the new table would refuse, and the rule; return where it
-- takes them all. Rows were looked at before, by 10: this is about one that came or was changed since.
CREATE FUNCTION orka_new.name_misfits(target text, ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    rule record;
    misfits uuid[];
BEGIN
    FOR rule IN
        SELECT c.conname::text AS name, substring(pg_catalog.pg_get_constraintdef(c.oid) FROM 'CHECK (.*)') AS holds
        FROM pg_catalog.pg_constraint AS c
        WHERE c.contype = 'c' AND c.conrelid = ('orka_new.' || target)::regclass
        UNION ALL
        SELECT format('NOT NULL of %s', a.attname), format('(f.%I IS NOT NULL)', a.attname)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = ('orka_new.' || target)::regclass AND a.attnum > 0 AND a.attnotnull
        ORDER BY 1
    LOOP
        EXECUTE format(
            'SELECT array_agg(f.id ORDER BY f.id) FROM (%s) AS f WHERE NOT %s',
            orka_new.unlinked(target, 'o.id = ANY($1) AND ' || orka_new.is_taken(target)), rule.holds)
        INTO misfits USING ids;
        CONTINUE WHEN misfits IS NULL;
        RAISE EXCEPTION 'row % of public.% breaks %: correct or delete it by its id, then run apply again%',
            misfits[1], target, rule.name,
            CASE WHEN cardinality(misfits) > 1 THEN format(' (and %s more)', cardinality(misfits) - 1) ELSE '' END
            USING ERRCODE = 'check_violation', HINT = CASE
                WHEN target IN ('roche_audit_logs', 'audit_access_log') THEN format(
                    'it is append-only meanwhile: in one transaction ALTER TABLE public.%1$s DISABLE TRIGGER '
                    'orka_refuse_change, the change, ALTER TABLE public.%1$s ENABLE ALWAYS TRIGGER orka_refuse_change',
                    target)
                ELSE 'an UPDATE or DELETE of it is noted, as every change is'
            END;
    END LOOP;
END
$$;

-- Copy the next events of the history, each with its link; how many. Each is there once, so one position says what is
-- done. One that somebody had to correct since it was listed comes later, with the arrivals, by its new digest.
CREATE FUNCTION orka_new.append_events(most bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = '' SET work_mem = '64MB'
AS $$
DECLARE
    done bigint := (SELECT p.copied_to FROM orka_new.progress AS p);
    -- Not before what is done, though the last of them may have been deleted; nor past it where there never was one.
    up_to bigint := greatest(done, least(done + most, coalesce((SELECT max(h.ordinal) FROM orka_new.history AS h), 0)));
BEGIN
    DELETE FROM orka_new.history AS h USING orka_new.queue AS q
    WHERE h.ordinal > done AND h.ordinal <= up_to
      AND q.ordinal >= 1000000000000 AND q.table_name = 'roche_audit_logs' AND q.id = h.id;
    BEGIN
        EXECUTE format(
            'INSERT INTO orka_new.roche_audit_logs SELECT %s
             FROM (SELECT * FROM orka_new.links($1, $2) LIMIT $2 - $1) AS l
             JOIN public.roche_audit_logs AS o ON o.id = l.id',
            orka_new.values_of('roche_audit_logs')) USING done, up_to;
    EXCEPTION WHEN check_violation OR not_null_violation THEN
        PERFORM orka_new.name_misfits('roche_audit_logs', ARRAY(
            SELECT h.id FROM orka_new.history AS h WHERE h.ordinal > done AND h.ordinal <= up_to));
        RAISE;
    END;
    UPDATE orka_new.progress SET copied_to = up_to;
    RETURN up_to - done;
END
$$;

-- Make these rows of another table as they are in the original: changed, new or gone.
CREATE FUNCTION orka_new.copy_rows(target text, ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF target = 'audit_ml_models' THEN
        -- Which one is active depends on the others.
        SELECT array_agg(m.id) INTO ids FROM (
            SELECT id FROM public.audit_ml_models UNION SELECT id FROM orka_new.audit_ml_models
        ) AS m;
    END IF;
    IF target = 'audit_access_log' THEN
        SELECT array_agg(w) INTO ids FROM unnest(ids) AS w
        WHERE NOT EXISTS (SELECT FROM orka_new.audit_access_log AS n WHERE n.id = w);
    ELSE
        EXECUTE format('DELETE FROM orka_new.%I WHERE id = ANY($1)', target) USING ids;
    END IF;
    EXECUTE format(
        'INSERT INTO orka_new.%1$I SELECT %2$s FROM public.%1$I AS o WHERE o.id = ANY($1) AND %3$s',
        target, orka_new.values_of(target), orka_new.is_taken(target)) USING ids;
EXCEPTION WHEN check_violation OR not_null_violation THEN
    PERFORM orka_new.name_misfits(target, ids);
    RAISE;
END
$$;

-- A batch of what the queue names, below an ordinal; how many. What is taken is deleted row by row, in the statement that
-- reads it: a transaction that began earlier may commit a smaller ordinal at any moment, and that one stays for later.
-- The log first: the others refer to it.
CREATE FUNCTION orka_new.copy_queue(most bigint, batch integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    part record;
    rows integer := 0;
BEGIN
    FOR part IN
        WITH taken AS (
            DELETE FROM orka_new.queue WHERE ordinal IN (
                SELECT q.ordinal FROM orka_new.queue AS q WHERE q.ordinal < most ORDER BY q.ordinal LIMIT batch)
            RETURNING ordinal, table_name, id
        )
        SELECT t.table_name, array_agg(t.id ORDER BY t.ordinal) AS ids FROM taken AS t
        GROUP BY t.table_name ORDER BY t.table_name <> 'roche_audit_logs', t.table_name
    LOOP
        rows := rows + cardinality(part.ids);
        IF part.table_name = 'roche_audit_logs' THEN
            PERFORM orka_new.append_arrivals(part.ids);
        ELSE
            PERFORM orka_new.copy_rows(part.table_name, part.ids);
        END IF;
    END LOOP;
    RETURN rows;
END
$$;

-- Events that came since, in their order: they lengthen the history. One that it names already is left out, and one that
-- was noted twice, since somebody corrected it by hand, counts once.
CREATE FUNCTION orka_new.append_arrivals(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    added bigint;
BEGIN
    EXECUTE format(
        'INSERT INTO orka_new.history
         SELECT p.copied_to + row_number() OVER (ORDER BY w.place), d.id, d.tenant_id, d.digest
         FROM (%s) AS d
         JOIN (SELECT u.id, min(u.place) AS place FROM unnest($1) WITH ORDINALITY AS u (id, place) GROUP BY u.id) AS w
             ON w.id = d.id
         CROSS JOIN orka_new.progress AS p
         WHERE NOT EXISTS (SELECT FROM orka_new.roche_audit_logs AS n WHERE n.id = d.id)',
        orka_new.digests('o.id = ANY($1)')) USING ids;
    GET DIAGNOSTICS added = ROW_COUNT;
    PERFORM orka_new.append_events(added);
END
$$;

-- Drop one foreign key of the originals, and note it; how many.
CREATE FUNCTION orka_new.drop_a_reference() RETURNS integer
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    reference record;
BEGIN
    SELECT
        s.source, k.conname, pg_catalog.pg_get_constraintdef(k.oid) AS definition,
        pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
    INTO reference
    FROM orka_new.taken_over() AS s (source) JOIN pg_catalog.pg_constraint AS k
        ON k.conrelid = to_regclass('public.' || s.source) AND k.contype = 'f'
    ORDER BY s.source, k.conname LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO orka_original.dropped_references
    VALUES (reference.source, reference.conname, reference.definition, reference.comment);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I', reference.source, reference.conname);
    RETURN 1;
END
$$;

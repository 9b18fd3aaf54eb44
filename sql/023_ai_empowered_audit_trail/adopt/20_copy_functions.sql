-- step: tx
-- What the later steps call; the swap drops all of it.

-- What is to be copied: the history in the order of the chains, then, from `arrivals` on, what came since.
CREATE TABLE orka_new.queue (
    ordinal bigint NOT NULL PRIMARY KEY,
    table_name text NOT NULL,
    id uuid NOT NULL
);
CREATE SEQUENCE orka_new.arrivals MINVALUE 1000000000000;
CREATE TABLE orka_new.progress (copied_to bigint NOT NULL);
INSERT INTO orka_new.progress VALUES (0);

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

-- Continue the chains by these events, in this order; one that is there already is left out.
CREATE FUNCTION orka_new.append_events(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    event orka_new.roche_audit_logs;
    events orka_new.roche_audit_logs [] := '{}';
    head orka_audit.chain_heads;
BEGIN
    FOR event IN EXECUTE format(
        'SELECT %s FROM unnest($1) WITH ORDINALITY AS w (id, place) JOIN public.roche_audit_logs AS o ON o.id = w.id
         WHERE NOT EXISTS (SELECT FROM orka_new.roche_audit_logs AS n WHERE n.id = w.id) ORDER BY w.place',
        orka_new.values_of('roche_audit_logs')) USING ids
    LOOP
        IF head.tenant_id IS DISTINCT FROM event.tenant_id THEN
            PERFORM orka_new.save_head(head);
            SELECT * INTO head FROM orka_audit.chain_heads AS h WHERE h.tenant_id = event.tenant_id;
            IF NOT FOUND THEN
                head := (event.tenant_id, 0, repeat('0', 64));
            END IF;
        END IF;
        event.seq := head.seq + 1;
        event.previous_hash := head.hash;
        event.hash := encode(sha256(convert_to(orka_audit.event_canonical(event), 'UTF8')), 'hex');
        events := events || event;
        head.seq := event.seq;
        head.hash := event.hash;
    END LOOP;
    INSERT INTO orka_new.roche_audit_logs SELECT e.* FROM unnest(events) AS e;
    PERFORM orka_new.save_head(head);
END
$$;

CREATE FUNCTION orka_new.save_head(head orka_audit.chain_heads) RETURNS void
LANGUAGE sql SET search_path = ''
AS $$
    INSERT INTO orka_audit.chain_heads AS h SELECT head.* WHERE head.tenant_id IS NOT NULL
    ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
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
END
$$;

-- Copy what the queue names between two ordinals, the log first: the others refer to it.
CREATE FUNCTION orka_new.copy_range(after bigint, up_to bigint) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT q.table_name, array_agg(q.id ORDER BY q.ordinal) AS ids FROM orka_new.queue AS q
        WHERE q.ordinal > after AND q.ordinal <= up_to
        GROUP BY q.table_name ORDER BY q.table_name <> 'roche_audit_logs', q.table_name
    LOOP
        IF part.table_name = 'roche_audit_logs' THEN
            PERFORM orka_new.append_events(part.ids);
        ELSE
            PERFORM orka_new.copy_rows(part.table_name, part.ids);
        END IF;
    END LOOP;
END
$$;

-- A batch of the history. It was complete before the first batch, so one position says what is done.
CREATE FUNCTION orka_new.copy_history(batch integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    done bigint := (SELECT p.copied_to FROM orka_new.progress AS p);
    up_to bigint := (SELECT max(q.ordinal) FROM orka_new.queue AS q WHERE q.ordinal < 1000000000000);
BEGIN
    up_to := least(done + batch, coalesce(up_to, 0));
    PERFORM orka_new.copy_range(done, up_to);
    UPDATE orka_new.progress SET copied_to = up_to;
    RETURN up_to - done;
END
$$;

-- A batch of what came since. A transaction may commit a smaller ordinal later, so what is done is deleted.
CREATE FUNCTION orka_new.copy_arrivals(batch integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    up_to bigint;
    rows integer;
BEGIN
    SELECT max(w.ordinal) INTO up_to FROM (
        SELECT q.ordinal FROM orka_new.queue AS q WHERE q.ordinal >= 1000000000000 ORDER BY q.ordinal LIMIT batch
    ) AS w;
    PERFORM orka_new.copy_range(999999999999, up_to);
    DELETE FROM orka_new.queue AS q WHERE q.ordinal >= 1000000000000 AND q.ordinal <= up_to;
    GET DIAGNOSTICS rows = ROW_COUNT;
    RETURN rows;
END
$$;

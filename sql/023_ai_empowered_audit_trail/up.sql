-- 023: the AI-empowered audit trail.
-- The runner executes this file in one transaction and stops at the first error; see ../README.md for the rules
-- and for the reasons behind what is decided here. Needs PostgreSQL >= 15 and the extension vector >= 0.8.

-- ---------------------------------------------------------------------------------------------------------------
-- 1. Roles: one owner that nobody logs in as, and one group for each kind of client.
-- ---------------------------------------------------------------------------------------------------------------

DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['orka_owner', 'orka_app', 'orka_jobs', 'orka_readonly'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    -- Since version 16 whoever creates a role may administer it, but must be told that it may become it.
    IF current_setting('server_version_num')::integer >= 160000 THEN
        IF NOT pg_has_role(current_user, 'orka_owner', 'SET') THEN
            EXECUTE format('GRANT orka_owner TO %I WITH SET TRUE, INHERIT FALSE', current_user);
        END IF;
    ELSIF NOT pg_has_role(current_user, 'orka_owner', 'MEMBER') THEN
        EXECUTE format('GRANT orka_owner TO %I', current_user);
    END IF;
END
$roles$;

-- Not exposed by the Data API: the helpers and the heads of the hash chains live here, the nine tables in public.
CREATE SCHEMA orka_audit AUTHORIZATION orka_owner;
GRANT USAGE, CREATE ON SCHEMA public TO orka_owner;
GRANT USAGE ON SCHEMA public TO orka_app, orka_jobs, orka_readonly;

-- The extension may live in any schema (public, or extensions at Supabase): find it, make it usable, look there.
DO $vector$
DECLARE
    home text := (
        SELECT n.nspname
        FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector'
    );
    client text;
BEGIN
    IF home IS NULL THEN
        RAISE EXCEPTION 'the extension vector is not installed in this database' USING ERRCODE = 'undefined_object';
    END IF;
    FOREACH client IN ARRAY ARRAY['orka_owner', 'orka_app', 'orka_jobs', 'orka_readonly'] LOOP
        IF NOT has_schema_privilege(client, home, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, client);
        END IF;
    END LOOP;
    PERFORM set_config('search_path', format('pg_catalog, %I', home), true);
END
$vector$;

SET LOCAL ROLE orka_owner;

-- Functions made from here on are callable by nobody but their owner until a grant says so.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- ---------------------------------------------------------------------------------------------------------------
-- 2. Whose rows: the tenant stands in the token, where its user cannot edit it.
-- ---------------------------------------------------------------------------------------------------------------

-- Where it stands there is the installation's to say, by replacing this function as orka_owner (README.md). It is no
-- setting: every session may set those, and would choose a claim that its user writes himself.
CREATE FUNCTION orka_audit.tenant_claim() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SECURITY INVOKER
RETURN ARRAY['app_metadata'::text, 'tenant_id'::text];
COMMENT ON FUNCTION orka_audit.tenant_claim() IS 'Path of the tenant''s id in the JSON of request.jwt.claims';

-- A pooled session that once had claims reads '' afterwards, not NULL. Malformed claims are an error, not "no tenant".
CREATE FUNCTION orka_audit.current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = ''
AS $$
    SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb #>> orka_audit.tenant_claim())::uuid
$$;
COMMENT ON FUNCTION orka_audit.current_tenant() IS
    'Tenant of this transaction: what stands at tenant_claim() in request.jwt.claims, NULL without claims';

-- ---------------------------------------------------------------------------------------------------------------
-- 3. The log: append-only, one hash chain per tenant.
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE public.roche_audit_logs (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    event_type varchar(100) NOT NULL,
    user_id uuid,
    entity_type varchar(100) NOT NULL,
    entity_id text,
    action_details jsonb NOT NULL,
    severity varchar(20) NOT NULL DEFAULT 'info',
    ip_address text,
    user_agent text,
    project_id uuid,
    performance_metrics jsonb,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    anomaly_score numeric(5, 4),
    is_anomaly boolean NOT NULL DEFAULT false,
    category varchar(50),
    risk_level varchar(20),
    tags jsonb,
    ai_insights jsonb,
    encrypted_fields jsonb NOT NULL DEFAULT '[]',
    previous_hash varchar(64) NOT NULL,
    hash varchar(64) NOT NULL,
    CONSTRAINT roche_audit_logs_pkey PRIMARY KEY (id),
    CONSTRAINT roche_audit_logs_id_tenant_key UNIQUE (id, tenant_id),
    CONSTRAINT roche_audit_logs_tenant_seq_key UNIQUE (tenant_id, seq),
    CONSTRAINT roche_audit_logs_valid_seq CHECK (seq > 0),
    -- Bounded because it stands in an index.
    CONSTRAINT roche_audit_logs_valid_entity_id CHECK (char_length(entity_id) BETWEEN 1 AND 255),
    CONSTRAINT roche_audit_logs_valid_severity CHECK (severity IN ('info', 'warning', 'error', 'critical')),
    CONSTRAINT roche_audit_logs_valid_anomaly_score CHECK (anomaly_score BETWEEN 0 AND 1),
    CONSTRAINT roche_audit_logs_valid_category CHECK (
        category IN ('Security Change', 'Financial Impact', 'Resource Allocation', 'Risk Event', 'Compliance Action')
    ),
    CONSTRAINT roche_audit_logs_valid_risk_level CHECK (risk_level IN ('Low', 'Medium', 'High', 'Critical')),
    CONSTRAINT roche_audit_logs_valid_encrypted_fields CHECK (jsonb_typeof(encrypted_fields) = 'array'),
    -- Not '^[0-9a-f]{64}$': a counted repetition costs twenty times as much, for every row.
    CONSTRAINT roche_audit_logs_valid_hash CHECK (char_length(hash) = 64 AND hash !~ '[^0-9a-f]'),
    CONSTRAINT roche_audit_logs_valid_previous_hash CHECK (
        char_length(previous_hash) = 64 AND previous_hash !~ '[^0-9a-f]'
    )
);
ALTER TABLE public.roche_audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.roche_audit_logs FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE public.roche_audit_logs IS 'Append-only; one hash chain per tenant (seq, previous_hash, hash)';

CREATE INDEX idx_roche_audit_logs_tenant_timestamp ON public.roche_audit_logs (tenant_id, "timestamp" DESC);
CREATE INDEX idx_roche_audit_logs_tenant_entity_timestamp
    ON public.roche_audit_logs (tenant_id, entity_type, entity_id, "timestamp" DESC);
CREATE INDEX idx_roche_audit_logs_tenant_anomalies
    ON public.roche_audit_logs (tenant_id, "timestamp" DESC) WHERE is_anomaly;
CREATE INDEX idx_roche_audit_logs_timestamp_brin
    ON public.roche_audit_logs USING brin ("timestamp") WITH (pages_per_range = 32);

CREATE TABLE orka_audit.chain_heads (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash varchar(64) NOT NULL,
    CONSTRAINT chain_heads_pkey PRIMARY KEY (tenant_id)
);
ALTER TABLE orka_audit.chain_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE orka_audit.chain_heads FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE orka_audit.chain_heads IS 'Last link of every tenant''s chain; only its trigger writes here';

-- Form 1 of an event's content: a JSON array of its columns in this order, times in UTC whatever the session's zone.
-- A later form gets a function of its own: rows keep the form they were written with. The three functions have bodies
-- in standard SQL: their names are bound when they are made, so the planner may inline them, which a pinned search
-- path forbids; a million hashes take seconds and not half a minute.
CREATE FUNCTION orka_audit.event_digest(event public.roche_audit_logs) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SECURITY INVOKER
RETURN sha256(convert_to(
    json_build_array(
        1,
        (event).id,
        (event).tenant_id,
        (event).event_type,
        (event).user_id,
        (event).entity_type,
        (event).entity_id,
        (event).action_details,
        (event).severity,
        (event).ip_address,
        (event).user_agent,
        (event).project_id,
        (event).performance_metrics,
        (event)."timestamp" AT TIME ZONE 'UTC',
        (event).created_at AT TIME ZONE 'UTC',
        (event).anomaly_score,
        (event).is_anomaly,
        (event).category,
        (event).risk_level,
        (event).tags,
        (event).ai_insights,
        (event).encrypted_fields
    )::text, 'UTF8'
));

-- A link of a chain: SHA-256 over 72 bytes, the hash before, seq (big-endian) and the digest of the content.
CREATE FUNCTION orka_audit.link_hash(previous_hash text, seq bigint, digest bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SECURITY INVOKER
RETURN encode(sha256(decode(previous_hash, 'hex') || int8send(seq) || digest), 'hex');

CREATE FUNCTION orka_audit.event_hash(event public.roche_audit_logs) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY INVOKER
RETURN orka_audit.link_hash((event).previous_hash, (event).seq, orka_audit.event_digest(event));

-- Runs as the owner, for no client may touch the heads. The head's row lock puts a tenant's inserts in one order,
-- so no two events share a predecessor. What a client sends for these columns is overwritten.
CREATE FUNCTION orka_audit.extend_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    head orka_audit.chain_heads;
BEGIN
    INSERT INTO orka_audit.chain_heads (tenant_id, seq, hash)
    VALUES (NEW.tenant_id, 0, repeat('0', 64))
    ON CONFLICT (tenant_id) DO NOTHING;
    SELECT * INTO STRICT head FROM orka_audit.chain_heads AS h WHERE h.tenant_id = NEW.tenant_id FOR UPDATE;

    NEW.seq := head.seq + 1;
    NEW.previous_hash := head.hash;
    NEW.created_at := clock_timestamp();
    NEW.hash := orka_audit.event_hash(NEW);

    UPDATE orka_audit.chain_heads AS h SET seq = NEW.seq, hash = NEW.hash WHERE h.tenant_id = NEW.tenant_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER roche_audit_logs_chain BEFORE INSERT ON public.roche_audit_logs
    FOR EACH ROW EXECUTE FUNCTION orka_audit.extend_chain();

CREATE FUNCTION orka_audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

CREATE FUNCTION orka_audit.chain_head() RETURNS orka_audit.chain_heads
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT h FROM orka_audit.chain_heads AS h WHERE h.tenant_id = orka_audit.current_tenant()
$$;
COMMENT ON FUNCTION orka_audit.chain_head() IS 'Last link of the caller''s own tenant, to be anchored elsewhere';

-- Runs as its caller: it sees one tenant's events, those of the claims.
CREATE FUNCTION orka_audit.verify_chain(OUT events bigint, OUT broken_at bigint, OUT problem text) RETURNS record
LANGUAGE sql STABLE SECURITY INVOKER SET search_path = ''
AS $$
    WITH links AS (
        SELECT
            e.seq,
            e.hash,
            e.previous_hash,
            row_number() OVER by_seq AS expected_seq,
            lag(e.hash, 1, repeat('0', 64)::varchar) OVER by_seq AS expected_previous,
            orka_audit.event_hash(e) AS recomputed
        FROM public.roche_audit_logs AS e
        WHERE e.tenant_id = (SELECT orka_audit.current_tenant())
        WINDOW by_seq AS (ORDER BY e.seq)
    ),
    last_link AS (
        SELECT coalesce(max(l.seq), 0) AS seq, (array_agg(l.hash ORDER BY l.seq DESC))[1] AS hash FROM links AS l
    ),
    faults AS (
        SELECT
            l.seq,
            CASE
                WHEN l.seq <> l.expected_seq THEN 'an event before it is missing'
                WHEN l.previous_hash <> l.expected_previous THEN 'does not continue the event before it'
                WHEN l.hash <> l.recomputed THEN 'its content does not match its hash'
            END AS problem
        FROM links AS l
        UNION ALL
        SELECT
            t.seq,
            CASE
                WHEN t.seq <> coalesce(h.seq, 0) THEN 'the last event is not the head of the chain'
                WHEN t.hash <> h.hash THEN 'its hash is not the head of the chain'
            END
        FROM last_link AS t
        CROSS JOIN LATERAL (SELECT * FROM orka_audit.chain_head()) AS h
    )
    SELECT (SELECT count(*) FROM links), f.seq, f.problem
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT found.seq, found.problem FROM faults AS found WHERE found.problem IS NOT NULL
        ORDER BY found.seq LIMIT 1
    ) AS f ON true
$$;
COMMENT ON FUNCTION orka_audit.verify_chain() IS
    'Recomputes the caller''s tenant''s chain: number of events, and the first broken one with what is wrong (or NULL)';

-- One row per tenant that ever logged: the heads answer without reading the log.
CREATE FUNCTION orka_audit.tenants_with_events() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT h.tenant_id FROM orka_audit.chain_heads AS h ORDER BY h.tenant_id
$$;
COMMENT ON FUNCTION orka_audit.tenants_with_events() IS
    'For the background jobs, which then work on one tenant per transaction by its claims; ids only';

-- ---------------------------------------------------------------------------------------------------------------
-- 4. What the AI makes of the log. (event, tenant) refers together, so a row cannot point into another tenant;
--    nothing cascades, for evidence is not deleted.
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE public.audit_embeddings (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    audit_event_id uuid NOT NULL,
    embedding vector(1536) NOT NULL,
    embedding_model varchar(100) NOT NULL DEFAULT 'text-embedding-ada-002',
    content_text text NOT NULL,
    tenant_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_embeddings_pkey PRIMARY KEY (id),
    CONSTRAINT audit_embeddings_audit_event_key UNIQUE (audit_event_id),
    CONSTRAINT audit_embeddings_event_tenant_fkey FOREIGN KEY (audit_event_id, tenant_id)
        REFERENCES public.roche_audit_logs (id, tenant_id)
);
ALTER TABLE public.audit_embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_embeddings FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_audit_embeddings_vector ON public.audit_embeddings USING hnsw (embedding vector_cosine_ops);
CREATE INDEX idx_audit_embeddings_tenant ON public.audit_embeddings (tenant_id);

CREATE TABLE public.audit_anomalies (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    audit_event_id uuid NOT NULL,
    anomaly_score numeric(5, 4) NOT NULL,
    detection_timestamp timestamptz NOT NULL DEFAULT now(),
    features_used jsonb NOT NULL,
    model_version varchar(50) NOT NULL,
    is_false_positive boolean NOT NULL DEFAULT false,
    feedback_notes text,
    feedback_user_id uuid,
    feedback_timestamp timestamptz,
    alert_sent boolean NOT NULL DEFAULT false,
    tenant_id uuid NOT NULL,
    severity varchar(20) NOT NULL DEFAULT 'medium',
    affected_entities jsonb,
    suggested_actions text,
    CONSTRAINT audit_anomalies_pkey PRIMARY KEY (id),
    CONSTRAINT audit_anomalies_valid_anomaly_score CHECK (anomaly_score BETWEEN 0 AND 1),
    CONSTRAINT audit_anomalies_valid_severity CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT audit_anomalies_event_tenant_fkey FOREIGN KEY (audit_event_id, tenant_id)
        REFERENCES public.roche_audit_logs (id, tenant_id)
);
ALTER TABLE public.audit_anomalies ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_anomalies FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_anomalies_event ON public.audit_anomalies (audit_event_id, tenant_id);
CREATE INDEX idx_anomalies_tenant_timestamp ON public.audit_anomalies (tenant_id, detection_timestamp DESC);
CREATE INDEX idx_anomalies_alert_pending
    ON public.audit_anomalies (tenant_id, detection_timestamp) WHERE NOT alert_sent;

-- A model without a tenant is shared by all; the clients may read it and none of them may write it.
CREATE TABLE public.audit_ml_models (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    model_type varchar(50) NOT NULL,
    model_version varchar(50) NOT NULL,
    training_date timestamptz NOT NULL DEFAULT now(),
    training_data_size integer NOT NULL,
    metrics jsonb NOT NULL,
    model_path text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    tenant_id uuid,
    hyperparameters jsonb,
    feature_importance jsonb,
    CONSTRAINT audit_ml_models_pkey PRIMARY KEY (id),
    CONSTRAINT audit_ml_models_version_key UNIQUE NULLS NOT DISTINCT (tenant_id, model_type, model_version),
    CONSTRAINT audit_ml_models_valid_model_type CHECK (
        model_type IN ('anomaly_detector', 'category_classifier', 'risk_classifier')
    ),
    CONSTRAINT audit_ml_models_valid_training_data_size CHECK (training_data_size >= 0)
);
ALTER TABLE public.audit_ml_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_ml_models FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX idx_ml_models_one_active
    ON public.audit_ml_models (tenant_id, model_type) NULLS NOT DISTINCT WHERE is_active;

CREATE TABLE public.audit_ai_predictions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    audit_event_id uuid NOT NULL,
    prediction_type varchar(50) NOT NULL,
    predicted_value varchar(100) NOT NULL,
    confidence_score numeric(5, 4) NOT NULL,
    model_version varchar(50) NOT NULL,
    features_used jsonb NOT NULL,
    prediction_timestamp timestamptz NOT NULL DEFAULT now(),
    review_required boolean NOT NULL DEFAULT false,
    reviewed_by uuid,
    review_timestamp timestamptz,
    review_outcome varchar(50),
    tenant_id uuid NOT NULL,
    CONSTRAINT audit_ai_predictions_pkey PRIMARY KEY (id),
    CONSTRAINT audit_ai_predictions_valid_prediction_type CHECK (
        prediction_type IN ('anomaly', 'category', 'risk_level')
    ),
    CONSTRAINT audit_ai_predictions_valid_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT audit_ai_predictions_valid_review_outcome CHECK (
        review_outcome IN ('confirmed', 'corrected', 'rejected')
    ),
    CONSTRAINT audit_ai_predictions_event_tenant_fkey FOREIGN KEY (audit_event_id, tenant_id)
        REFERENCES public.roche_audit_logs (id, tenant_id)
);
ALTER TABLE public.audit_ai_predictions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_ai_predictions FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_ai_predictions_event ON public.audit_ai_predictions (audit_event_id, tenant_id);
CREATE INDEX idx_ai_predictions_tenant_type_timestamp
    ON public.audit_ai_predictions (tenant_id, prediction_type, prediction_timestamp DESC);
CREATE INDEX idx_ai_predictions_review_required
    ON public.audit_ai_predictions (tenant_id, prediction_timestamp) WHERE review_required;

CREATE TABLE public.audit_bias_metrics (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    metric_type varchar(50) NOT NULL,
    dimension varchar(50) NOT NULL,
    dimension_value varchar(100) NOT NULL,
    metric_value numeric(5, 4) NOT NULL,
    sample_size integer NOT NULL,
    calculation_date timestamptz NOT NULL DEFAULT now(),
    time_period_start timestamptz NOT NULL,
    time_period_end timestamptz NOT NULL,
    is_biased boolean NOT NULL DEFAULT false,
    bias_threshold_exceeded numeric(5, 4),
    CONSTRAINT audit_bias_metrics_pkey PRIMARY KEY (id),
    CONSTRAINT audit_bias_metrics_valid_metric_type CHECK (
        metric_type IN ('anomaly_detection_rate', 'classification_accuracy', 'false_positive_rate')
    ),
    CONSTRAINT audit_bias_metrics_valid_sample_size CHECK (sample_size >= 0),
    CONSTRAINT audit_bias_metrics_valid_time_period CHECK (time_period_start < time_period_end)
);
ALTER TABLE public.audit_bias_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_bias_metrics FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_bias_metrics_tenant_type_dimension
    ON public.audit_bias_metrics (tenant_id, metric_type, dimension, calculation_date DESC);

-- ---------------------------------------------------------------------------------------------------------------
-- 5. What the tenants configure, and who looked.
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE public.audit_integrations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    integration_type varchar(50) NOT NULL,
    config jsonb NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    last_used timestamptz,
    failure_count integer NOT NULL DEFAULT 0,
    last_failure timestamptz,
    last_failure_reason text,
    CONSTRAINT audit_integrations_pkey PRIMARY KEY (id),
    CONSTRAINT audit_integrations_tenant_type_key UNIQUE (tenant_id, integration_type),
    CONSTRAINT audit_integrations_valid_integration_type CHECK (
        integration_type IN ('slack', 'teams', 'zapier', 'email')
    ),
    CONSTRAINT audit_integrations_valid_failure_count CHECK (failure_count >= 0)
);
ALTER TABLE public.audit_integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_integrations FORCE ROW LEVEL SECURITY;
COMMENT ON COLUMN public.audit_integrations.config IS
    'Holds webhook addresses: readable by the backend and the jobs only';

CREATE FUNCTION orka_audit.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_integrations_touch BEFORE UPDATE ON public.audit_integrations
    FOR EACH ROW EXECUTE FUNCTION orka_audit.touch_updated_at();

CREATE TABLE public.audit_scheduled_reports (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    report_name varchar(255) NOT NULL,
    schedule_cron varchar(100) NOT NULL,
    filters jsonb NOT NULL,
    recipients jsonb NOT NULL,
    include_summary boolean NOT NULL DEFAULT true,
    format varchar(10) NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    last_run timestamptz,
    next_run timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    run_count integer NOT NULL DEFAULT 0,
    last_run_status varchar(20),
    last_run_error text,
    CONSTRAINT audit_scheduled_reports_pkey PRIMARY KEY (id),
    CONSTRAINT audit_scheduled_reports_valid_format CHECK (format IN ('pdf', 'csv')),
    CONSTRAINT audit_scheduled_reports_valid_last_run_status CHECK (
        last_run_status IN ('success', 'failed', 'partial')
    ),
    CONSTRAINT audit_scheduled_reports_valid_run_count CHECK (run_count >= 0)
);
ALTER TABLE public.audit_scheduled_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_scheduled_reports FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_scheduled_reports_tenant_next_run
    ON public.audit_scheduled_reports (tenant_id, next_run) WHERE is_active;

CREATE TABLE public.audit_access_log (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    access_type varchar(50) NOT NULL,
    query_parameters jsonb,
    result_count integer,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    ip_address text,
    user_agent text,
    tenant_id uuid NOT NULL,
    execution_time_ms integer,
    CONSTRAINT audit_access_log_pkey PRIMARY KEY (id),
    CONSTRAINT audit_access_log_valid_access_type CHECK (access_type IN ('read', 'export', 'search'))
);
ALTER TABLE public.audit_access_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_access_log FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_audit_access_log_tenant_timestamp ON public.audit_access_log (tenant_id, "timestamp" DESC);
CREATE INDEX idx_audit_access_log_tenant_user_timestamp
    ON public.audit_access_log (tenant_id, user_id, "timestamp" DESC);

-- ---------------------------------------------------------------------------------------------------------------
-- 6. Append-only. Rights alone do not bind an owner or a role with BYPASSRLS; triggers do. The one per statement
--    also refuses where no row matches, so that "0 rows" never passes for a success; the one per row holds where
--    the table is reached through another. ALWAYS: in replica mode too.
-- ---------------------------------------------------------------------------------------------------------------

DO $append_only$
DECLARE
    log text;
BEGIN
    FOREACH log IN ARRAY ARRAY['roche_audit_logs', 'audit_access_log'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I
             FOR EACH STATEMENT EXECUTE FUNCTION orka_audit.refuse_change()', log || '_refuse_statement', log);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON public.%I
             FOR EACH ROW EXECUTE FUNCTION orka_audit.refuse_change()', log || '_refuse_row', log);
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', log, log || '_refuse_statement');
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', log, log || '_refuse_row');
    END LOOP;
END
$append_only$;

-- ---------------------------------------------------------------------------------------------------------------
-- 7. Who may do what: named roles and verbs only. First nobody, whatever default privileges this database has.
-- ---------------------------------------------------------------------------------------------------------------

DO $nobody$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT 'PUBLIC'
        UNION ALL
        SELECT quote_ident(r.rolname) FROM pg_roles AS r
        WHERE r.rolname IN ('anon', 'authenticated', 'service_role', 'orka_app', 'orka_jobs', 'orka_readonly')
    LOOP
        EXECUTE format(
            'REVOKE ALL ON public.roche_audit_logs, public.audit_embeddings, public.audit_anomalies,
                public.audit_ml_models, public.audit_integrations, public.audit_scheduled_reports,
                public.audit_access_log, public.audit_bias_metrics, public.audit_ai_predictions,
                orka_audit.chain_heads FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA orka_audit FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON SCHEMA orka_audit FROM %s', grantee);
    END LOOP;
END
$nobody$;

GRANT USAGE ON SCHEMA orka_audit TO orka_app, orka_jobs, orka_readonly;
GRANT EXECUTE ON FUNCTION
    orka_audit.tenant_claim(), orka_audit.current_tenant(), orka_audit.chain_head(), orka_audit.verify_chain(),
    orka_audit.event_hash(public.roche_audit_logs), orka_audit.event_digest(public.roche_audit_logs),
    orka_audit.link_hash(text, bigint, bytea)
    TO orka_app, orka_jobs, orka_readonly;
GRANT EXECUTE ON FUNCTION orka_audit.tenants_with_events() TO orka_jobs;

-- The backend: writes the log, reads what the jobs found, records feedback, keeps the tenants' configuration.
GRANT SELECT, INSERT ON public.roche_audit_logs, public.audit_access_log TO orka_app;
GRANT SELECT ON
    public.audit_embeddings, public.audit_anomalies, public.audit_ml_models, public.audit_bias_metrics,
    public.audit_ai_predictions TO orka_app;
GRANT UPDATE (is_false_positive, feedback_notes, feedback_user_id, feedback_timestamp)
    ON public.audit_anomalies TO orka_app;
GRANT UPDATE (reviewed_by, review_timestamp, review_outcome) ON public.audit_ai_predictions TO orka_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.audit_integrations, public.audit_scheduled_reports TO orka_app;

-- The background jobs: read the log, write what they conclude.
GRANT SELECT ON public.roche_audit_logs TO orka_jobs;
GRANT SELECT, INSERT, UPDATE (embedding, embedding_model, content_text) ON public.audit_embeddings TO orka_jobs;
GRANT SELECT, INSERT, UPDATE (alert_sent) ON public.audit_anomalies TO orka_jobs;
GRANT SELECT, INSERT, UPDATE (is_active) ON public.audit_ml_models TO orka_jobs;
GRANT SELECT, INSERT ON public.audit_ai_predictions TO orka_jobs;
GRANT SELECT, INSERT, UPDATE (is_biased, bias_threshold_exceeded) ON public.audit_bias_metrics TO orka_jobs;
GRANT SELECT, UPDATE (last_used, failure_count, last_failure, last_failure_reason)
    ON public.audit_integrations TO orka_jobs;
GRANT SELECT, UPDATE (last_run, next_run, run_count, last_run_status, last_run_error)
    ON public.audit_scheduled_reports TO orka_jobs;

-- People who look: everything but the integrations' configuration.
GRANT SELECT ON
    public.roche_audit_logs, public.audit_embeddings, public.audit_anomalies, public.audit_ml_models,
    public.audit_scheduled_reports, public.audit_access_log, public.audit_bias_metrics,
    public.audit_ai_predictions TO orka_readonly;
GRANT SELECT (id, tenant_id, integration_type, is_active, created_at, updated_at, created_by, last_used,
    failure_count, last_failure, last_failure_reason) ON public.audit_integrations TO orka_readonly;

-- The policies name the same verbs again: a grant given by mistake later still meets no policy.
DO $policies$
DECLARE
    own constant text := 'tenant_id = (SELECT orka_audit.current_tenant())';
    -- A model of no tenant is every tenant's to read, and nobody's who does not say whose he is.
    shared constant text := ' OR (tenant_id IS NULL AND (SELECT orka_audit.current_tenant()) IS NOT NULL)';
    rule record;
    readable text;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            ('roche_audit_logs',        'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('roche_audit_logs',        'INSERT', 'orka_app'),
            ('audit_embeddings',        'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_embeddings',        'INSERT', 'orka_jobs'),
            ('audit_embeddings',        'UPDATE', 'orka_jobs'),
            ('audit_anomalies',         'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_anomalies',         'INSERT', 'orka_jobs'),
            ('audit_anomalies',         'UPDATE', 'orka_app, orka_jobs'),
            ('audit_ml_models',         'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_ml_models',         'INSERT', 'orka_jobs'),
            ('audit_ml_models',         'UPDATE', 'orka_jobs'),
            ('audit_integrations',      'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_integrations',      'INSERT', 'orka_app'),
            ('audit_integrations',      'UPDATE', 'orka_app, orka_jobs'),
            ('audit_integrations',      'DELETE', 'orka_app'),
            ('audit_scheduled_reports', 'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_scheduled_reports', 'INSERT', 'orka_app'),
            ('audit_scheduled_reports', 'UPDATE', 'orka_app, orka_jobs'),
            ('audit_scheduled_reports', 'DELETE', 'orka_app'),
            ('audit_access_log',        'SELECT', 'orka_app, orka_readonly'),
            ('audit_access_log',        'INSERT', 'orka_app'),
            ('audit_bias_metrics',      'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_bias_metrics',      'INSERT', 'orka_jobs'),
            ('audit_bias_metrics',      'UPDATE', 'orka_jobs'),
            ('audit_ai_predictions',    'SELECT', 'orka_app, orka_jobs, orka_readonly'),
            ('audit_ai_predictions',    'INSERT', 'orka_jobs'),
            ('audit_ai_predictions',    'UPDATE', 'orka_app')
        ) AS matrix (log, verb, roles)
    LOOP
        readable := own;
        IF rule.log = 'audit_ml_models' AND rule.verb = 'SELECT' THEN
            readable := own || shared;
        END IF;
        EXECUTE format(
            'CREATE POLICY %I ON public.%I FOR %s TO %s',
            format('tenant_isolation_%s_%s', lower(rule.verb), rule.log), rule.log, rule.verb, rule.roles)
            || CASE WHEN rule.verb <> 'INSERT' THEN format(' USING (%s)', readable) ELSE '' END
            || CASE WHEN rule.verb IN ('INSERT', 'UPDATE') THEN format(' WITH CHECK (%s)', own) ELSE '' END;
    END LOOP;
END
$policies$;

-- Forced row security binds the owner too: the functions that run as the owner need this one.
CREATE POLICY chain_heads_owner ON orka_audit.chain_heads FOR ALL TO orka_owner USING (true) WITH CHECK (true);

-- Supabase's API role for signed-in users, where there is one: reads its tenant's rows and gives feedback on an
-- anomaly. Everything else goes through the backend, which knows the users' permissions.
DO $authenticated$
DECLARE
    own constant text := 'tenant_id = (SELECT orka_audit.current_tenant())';
    -- A model of no tenant is every tenant's to read, and nobody's who does not say whose he is.
    shared constant text := ' OR (tenant_id IS NULL AND (SELECT orka_audit.current_tenant()) IS NOT NULL)';
    visible text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA orka_audit TO authenticated;
    GRANT EXECUTE ON FUNCTION orka_audit.tenant_claim(), orka_audit.current_tenant() TO authenticated;
    FOREACH visible IN ARRAY ARRAY[
        'roche_audit_logs', 'audit_anomalies', 'audit_ml_models', 'audit_scheduled_reports', 'audit_bias_metrics',
        'audit_ai_predictions'
    ] LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO authenticated', visible);
        EXECUTE format(
            'CREATE POLICY %I ON public.%I FOR SELECT TO authenticated USING (%s)',
            'authenticated_select_' || visible, visible,
            own || CASE WHEN visible = 'audit_ml_models' THEN shared ELSE '' END);
    END LOOP;
    GRANT UPDATE (is_false_positive, feedback_notes, feedback_user_id, feedback_timestamp)
        ON public.audit_anomalies TO authenticated;
    EXECUTE format(
        'CREATE POLICY authenticated_update_audit_anomalies ON public.audit_anomalies
         FOR UPDATE TO authenticated USING (%1$s) WITH CHECK (%1$s)', own);
END
$authenticated$;

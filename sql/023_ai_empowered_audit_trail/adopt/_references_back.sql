-- What 75 dropped. Rows may have come meanwhile that refer to nothing: then the foreign key stays NOT VALID, which binds
-- every new row, and the operator is told; so he is where what it referred to is gone, and it stays away.
DO $references$
DECLARE
    reference record;
    again text;
BEGIN
    IF to_regclass('orka_original.dropped_references') IS NULL THEN
        RETURN;
    END IF;
    FOR reference IN
        SELECT * FROM orka_original.dropped_references AS d ORDER BY d.source, d.name
    LOOP
        again := format('ALTER TABLE public.%I ADD CONSTRAINT %I %s', reference.source, reference.name,
            reference.definition);
        BEGIN
            EXECUTE again || ' NOT VALID';
        EXCEPTION WHEN undefined_table OR undefined_column OR invalid_schema_name OR invalid_foreign_key
            OR datatype_mismatch THEN
            RAISE WARNING 'foreign key % of public.% is not back, %: correct the name in %',
                reference.name, reference.source, SQLERRM, again;
            CONTINUE;
        END;
        IF reference.comment IS NOT NULL THEN
            EXECUTE format('COMMENT ON CONSTRAINT %I ON public.%I IS %L',
                reference.name, reference.source, reference.comment);
        END IF;
        BEGIN
            EXECUTE format('ALTER TABLE public.%I VALIDATE CONSTRAINT %I', reference.source, reference.name);
        EXCEPTION WHEN foreign_key_violation THEN
            RAISE WARNING 'foreign key % of public.% is back but NOT VALID, rows refer to what was deleted meanwhile: '
                'correct them, then ALTER TABLE public.% VALIDATE CONSTRAINT %',
                reference.name, reference.source, quote_ident(reference.source), quote_ident(reference.name);
        END;
    END LOOP;
END
$references$;

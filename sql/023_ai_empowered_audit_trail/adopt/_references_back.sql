-- What 75 dropped. Rows may have come meanwhile that refer to nothing: then the foreign key stays NOT VALID, which binds
-- every new row, and the operator is told.
DO $references$
DECLARE
    reference record;
BEGIN
    IF to_regclass('orka_original.dropped_references') IS NULL THEN
        RETURN;
    END IF;
    FOR reference IN
        SELECT * FROM orka_original.dropped_references AS d ORDER BY d.source, d.name
    LOOP
        EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I %s NOT VALID',
            reference.source, reference.name, reference.definition);
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

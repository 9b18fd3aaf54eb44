-- step: tx
-- Nobody but this run looks at the new tables yet, so their indexes are built the quick way.
SET LOCAL ROLE orka_owner;
SET LOCAL search_path = '';
DO $keys$
DECLARE
    key record;
BEGIN
    FOR key IN SELECT k.definition FROM orka_new.keys AS k ORDER BY k.place LOOP
        EXECUTE key.definition;
    END LOOP;
END
$keys$;
ANALYZE orka_new.roche_audit_logs;
RESET ROLE;

-- The tables as the swap will leave them, with none of its locks: the runner makes this before the last step of the
-- adoption, proves the whole contract on it, and rolls it back. The new tables get the name that they will have, which
-- no other session sees, while everybody goes on with the originals.
-- include: adopt/_closed.sql
ALTER SCHEMA public RENAME TO orka_public;
ALTER SCHEMA orka_new RENAME TO public;
-- Who may look into the one may look into the other.
DO $open$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
        WHERE n.nspname = 'orka_public' AND a.privilege_type = 'USAGE'
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %s', grantee);
    END LOOP;
END
$open$;

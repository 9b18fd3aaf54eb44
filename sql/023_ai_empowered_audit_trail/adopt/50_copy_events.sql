-- step: backfill
-- Readers and writers of the originals are not disturbed. Nobody waits for these rows and nothing is locked, so a batch is
-- forty times as large as one that changes a table in use.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
SELECT orka_new.append_events(40 * current_setting('orka.batch_size')::bigint);

-- step: backfill
-- The other tables, whose rows may refer to an event.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
SELECT orka_new.copy_queue(1000000000000, current_setting('orka.batch_size')::integer);

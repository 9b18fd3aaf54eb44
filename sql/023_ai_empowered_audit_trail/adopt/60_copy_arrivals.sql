-- step: backfill
-- Until little is left; the rest is copied by the swap, while nobody can write.
-- A row that row security would hide is an error, and not left out.
SET LOCAL row_security = off;
SELECT orka_new.copy_queue(9223372036854775807, current_setting('orka.batch_size')::integer);

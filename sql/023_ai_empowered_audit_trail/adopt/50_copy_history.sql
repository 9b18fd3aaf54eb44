-- step: backfill
-- Readers and writers of the originals are not disturbed.
SELECT orka_new.copy_history(current_setting('orka.batch_size')::integer);

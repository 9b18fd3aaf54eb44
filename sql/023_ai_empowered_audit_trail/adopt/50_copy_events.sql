-- step: backfill
-- Readers and writers of the originals are not disturbed.
SELECT orka_new.copy_events(current_setting('orka.batch_size')::integer);

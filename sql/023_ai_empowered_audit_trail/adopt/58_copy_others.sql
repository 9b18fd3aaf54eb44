-- step: backfill
-- The other tables, whose rows may refer to an event.
SELECT orka_new.copy_queue(1000000000000, current_setting('orka.batch_size')::integer);

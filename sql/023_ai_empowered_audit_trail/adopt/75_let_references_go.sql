-- step: backfill
-- The originals' foreign keys, one in each transaction: they would keep users and projects from being deleted, and to drop
-- one locks the table that it refers to, which others use all the time. So the swap need not. A batch is one of them.
SELECT orka_new.drop_a_reference() * current_setting('orka.batch_size')::integer;

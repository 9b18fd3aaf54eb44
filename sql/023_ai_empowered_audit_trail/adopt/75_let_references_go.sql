-- step: backfill
-- The originals' foreign keys, one in each transaction: they would keep users and projects from being deleted, and to drop
-- one locks the table that it refers to, which others use all the time. So the swap need not.
SET LOCAL orka.batch_size = 1;
SELECT orka_new.drop_a_reference();

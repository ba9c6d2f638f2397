-- Who may do what. Passwords are set by the program that runs this file; the definer is locked: nobody logs in as it.
CREATE USER IF NOT EXISTS alertdb_definer@localhost ACCOUNT LOCK;
GRANT SELECT ON {survey}.* TO alertdb_definer@localhost;

CREATE USER IF NOT EXISTS alertdb_loader@'%' ACCOUNT UNLOCK;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON {survey}.* TO alertdb_loader@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON {survey}_public.* TO alertdb_loader@'%';

CREATE USER IF NOT EXISTS alertdb_reader@'%' ACCOUNT UNLOCK;
GRANT SELECT, SHOW VIEW ON {survey}.* TO alertdb_reader@'%';
GRANT SELECT, SHOW VIEW ON {survey}_public.* TO alertdb_reader@'%';

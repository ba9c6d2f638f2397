-- alertdb_keeper owns the procedures: it makes, locks and ends people's accounts, gives them what it may read itself
-- and their scratch database, and nothing else. It is locked: nobody logs in as it. Whoever may call one of its
-- procedures can do what that procedure does, and no more: the right to create accounts would be the right to
-- change the password of any, root's among them.
CREATE USER IF NOT EXISTS alertdb_keeper@localhost ACCOUNT LOCK;
GRANT CREATE USER, CONNECTION ADMIN ON *.* TO alertdb_keeper@localhost;
GRANT SELECT, SHOW VIEW ON {survey}.* TO alertdb_keeper@localhost WITH GRANT OPTION;
GRANT SELECT, SHOW VIEW ON {survey}_public.* TO alertdb_keeper@localhost WITH GRANT OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON alertdb_people.* TO alertdb_keeper@localhost WITH GRANT OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, CREATE VIEW, SHOW VIEW ON `my\_%`.*
    TO alertdb_keeper@localhost WITH GRANT OPTION;

-- The hub opens an account when a person's server starts, and locks it when the server stops.
CREATE USER IF NOT EXISTS alertdb_hub@'%' ACCOUNT UNLOCK;
GRANT SELECT ON alertdb_people.people TO alertdb_hub@'%';

-- The watchdog sees all statements and may end them, even when no connection is left for others.
CREATE USER IF NOT EXISTS alertdb_watchdog@'%' ACCOUNT UNLOCK;
GRANT PROCESS, CONNECTION ADMIN ON *.* TO alertdb_watchdog@'%';
GRANT SELECT ON alertdb_people.people TO alertdb_watchdog@'%';
GRANT UPDATE (scratch_bytes) ON alertdb_people.people TO alertdb_watchdog@'%';
GRANT SELECT ON alertdb_people.limits TO alertdb_watchdog@'%';
GRANT SELECT, INSERT, DELETE ON alertdb_people.notices TO alertdb_watchdog@'%';
GRANT SELECT, INSERT, UPDATE ON alertdb_people.looks TO alertdb_watchdog@'%';

-- The archive's own accounts come through the socket. Users' containers reach the server over the network, where for each
-- of these names a locked account stands before the real one: the server takes the account whose host fits best.
-- Two halves make all addresses; one mask of zeros would count as none.
CREATE USER IF NOT EXISTS alertdb_loader@'0.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_loader@'128.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_reader@'0.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_reader@'128.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_hub@'0.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_hub@'128.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_watchdog@'0.0.0.0/128.0.0.0' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS alertdb_watchdog@'128.0.0.0/128.0.0.0' ACCOUNT LOCK;

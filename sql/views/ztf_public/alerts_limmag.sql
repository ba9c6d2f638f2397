-- Public rows only. A partnership packet may have brought one: then packet_candid is NULL. Queries that leave
-- packet_candid out do not pay for the join: the server drops it, as it can only find one row or none.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts_limmag AS
SELECT l.objectId, l.jd, l.fid, l.pid, l.diffmaglim, l.programid, l.nid, l.rcid, l.field, l.magzpsci, l.magzpsciunc,
       l.magzpscirms, l.clrcoeff, l.clrcounc, packet.candid AS packet_candid
FROM ztf.alerts_limmag AS l
LEFT JOIN ztf.alerts AS packet
       ON packet.candid = l.packet_candid AND packet.programid = 1
WHERE l.programid = 1;

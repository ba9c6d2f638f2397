-- Public rows only. A partnership packet may have brought one: then packet_candid is NULL. Queries that leave
-- packet_candid out do not pay for the join: the server drops it, as it can only find one row or none.
-- programid stands in the IF, not in the ON: there a condition of a reader would be tried before it, see alerts.sql.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts_limmag AS
SELECT l.objectId, l.jd, l.fid, l.pid, l.diffmaglim, l.programid, l.nid, l.rcid, l.field, l.magzpsci, l.magzpsciunc,
       l.magzpscirms, l.clrcoeff, l.clrcounc,
       IF(packet.programid = 1, l.packet_candid, NULL) AS packet_candid
FROM ztf.alerts_limmag AS l
LEFT JOIN ztf.alerts AS packet
       ON packet.candid = l.packet_candid
WHERE l.programid = 1;

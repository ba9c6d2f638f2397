-- Public rows only. A partnership packet may have brought one: then packet_candid is NULL. Queries that leave
-- packet_candid out do not pay for the join: the server drops it, as it can only find one row or none.
-- programid stands in the IF, not in the ON: there a condition of a reader would be tried before it, see alerts.sql.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts_forced AS
SELECT f.objectId, f.jd, f.fid, f.field, f.rcid, f.pid, f.rfid, f.sciinpseeing, f.scibckgnd, f.scisigpix, f.magzpsci,
       f.magzpsciunc, f.magzpscirms, f.clrcoeff, f.clrcounc, f.exptime, f.adpctdif1, f.adpctdif2,
       f.diffmaglim, f.programid, f.forcediffimflux, f.forcediffimfluxunc, f.procstatus, f.distnr, f.ranr,
       f.decnr, f.magnr, f.sigmagnr, f.chinr, f.sharpnr,
       IF(packet.programid = 1, f.packet_candid, NULL) AS packet_candid
FROM ztf.alerts_forced AS f
LEFT JOIN ztf.alerts AS packet
       ON packet.candid = f.packet_candid
WHERE f.programid = 1;

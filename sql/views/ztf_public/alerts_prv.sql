-- Public rows only. A partnership packet may have brought one: then packet_candid is NULL. Queries that leave
-- packet_candid out do not pay for the join: the server drops it, as it can only find one row or none.
-- programid stands in the IF, not in the ON: there a condition of a reader would be tried before it, see alerts.sql.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts_prv AS
SELECT p.objectId, p.jd, p.fid, p.pid, p.diffmaglim, p.programid, p.candid, p.isdiffpos, p.tblid, p.nid, p.rcid,
       p.field, p.xpos, p.ypos, p.ra, p.`dec`, p.magpsf, p.sigmapsf, p.chipsf, p.magap, p.sigmagap, p.distnr,
       p.magnr, p.sigmagnr, p.chinr, p.sharpnr, p.sky, p.magdiff, p.fwhm, p.classtar, p.mindtoedge,
       p.magfromlim, p.seeratio, p.aimage, p.bimage, p.aimagerat, p.bimagerat, p.elong, p.nneg, p.nbad, p.rb,
       p.ssdistnr, p.ssmagnr, p.ssnamenr, p.sumrat, p.magapbig, p.sigmagapbig, p.ranr, p.decnr, p.scorr,
       p.magzpsci, p.magzpsciunc, p.magzpscirms, p.clrcoeff, p.clrcounc, p.rbversion,
       IF(packet.programid = 1, p.packet_candid, NULL) AS packet_candid
FROM ztf.alerts_prv AS p
LEFT JOIN ztf.alerts AS packet
       ON packet.candid = p.packet_candid
WHERE p.programid = 1;

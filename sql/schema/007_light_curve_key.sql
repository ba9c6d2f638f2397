-- With the tarball, which tells the summary which alerts another load has not committed yet.
ALTER TABLE alerts
    DROP KEY lightcurve,
    ADD KEY lightcurve (objectId, jd, fid, magpsf, sigmapsf, isdiffpos, diffmaglim, rb, programid,
                        ra, `dec`, nid, drb, ndethist, sgscore1, distpsnr1, ssdistnr, ssnamenr, tarball);

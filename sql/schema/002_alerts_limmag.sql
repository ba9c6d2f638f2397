-- Non-detections: history entries without a candid, once each however often the packets repeat them.
CREATE TABLE alerts_limmag (
    objectId      VARCHAR(32) NOT NULL COMMENT 'Object in whose history the non-detection stands. Never NULL.',
    jd            DOUBLE NOT NULL      COMMENT 'Start of the exposure, Julian date, UTC. Never NULL. [d]',
    fid           INT NOT NULL         COMMENT 'Filter: 1 = g, 2 = r, 3 = i. Never NULL.',
    pid           BIGINT               COMMENT 'Processing id of the science image. NULL: no value in the packet.',
    diffmaglim    FLOAT NOT NULL       COMMENT 'Expected 5-sigma limiting magnitude of the difference image: nothing brighter was found. Any number the packet gives, sensible or not (-1006.94 was met). Never NULL. [mag]',
    programid     INT                  COMMENT 'Programme that took the exposure: 1 public, 2 partnership, 3 Caltech. NULL: no value in the packet.',
    nid           INT                  COMMENT 'Night number: whole days since 2017-01-01 00:00 UTC. NULL: packets before schema 3.2, or no value in the packet.',
    rcid          INT                  COMMENT 'Readout channel of the camera, 0 to 63 (16 CCDs of 4 quadrants). NULL: packets before schema 3.2, or no value in the packet.',
    field         INT                  COMMENT 'Number of the field in the survey grid. NULL: packets before schema 3.2, or no value in the packet.',
    magzpsci      FLOAT                COMMENT 'Magnitude zero point of the science image, for its photometry. NULL: packets without it (schema 3.0 and before), or no value in the packet. [mag]',
    magzpsciunc   FLOAT                COMMENT 'Uncertainty of magzpsci. NULL: packets without it (schema 3.0 and before), or no value in the packet. [mag]',
    magzpscirms   FLOAT                COMMENT 'RMS deviation of the calibrators from the photometric solution of the science image. NULL: packets without it (schema 3.0 and before), or no value in the packet. [mag]',
    clrcoeff      FLOAT                COMMENT 'Colour coefficient of the photometric solution of the science image. NULL: packets without it (schema 3.0 and before), or no value in the packet.',
    clrcounc      FLOAT                COMMENT 'Uncertainty of clrcoeff. NULL: packets without it (schema 3.0 and before), or no value in the packet.',
    packet_candid BIGINT NOT NULL      COMMENT 'Alert whose packet brought this row: of several packets the one with the largest candid. Never NULL.',
    row_hash      BIGINT UNSIGNED NOT NULL DEFAULT 0 INVISIBLE COMMENT 'Checksum of the other columns as they were loaded, with which alertdb verify finds changed rows. SELECT * leaves it out. Never NULL.',
    PRIMARY KEY (objectId, jd, fid)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
    COMMENT='Upper limits: epochs before an alert at which the object was not detected';

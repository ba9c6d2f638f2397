-- The ledger: what is in the archive. The row of a tarball commits together with its alerts.
CREATE TABLE tarballs (
    id               BIGINT NOT NULL                      COMMENT 'Identity: the first 63 bits of the SHA-256 of the file name. Never NULL.',
    name             VARCHAR(255) NOT NULL                COMMENT 'File name without folder. Never NULL.',
    sha256           CHAR(64) NOT NULL                    COMMENT 'SHA-256 of the file, lower-case hexadecimal. Never NULL.',
    bytes            BIGINT NOT NULL                      COMMENT 'Size of the file. Never NULL. [byte]',
    modified         DATETIME(6) NOT NULL                 COMMENT 'When the file was last modified, UTC. Never NULL.',
    survey           VARCHAR(32) NOT NULL                 COMMENT 'Survey whose packets it holds. Never NULL.',
    night            INT                                  COMMENT 'Night as YYYYMMDD, UTC. NULL: the file name names no night.',
    state            ENUM('complete', 'partial') NOT NULL COMMENT 'complete, or partial: damaged and loaded on request as far as it was whole. Never NULL.',
    damage           VARCHAR(1024)                        COMMENT 'What was damaged and where. NULL: not damaged.',
    members          INT NOT NULL                         COMMENT 'Members of the tarball (files of the folder) that were read as packets. Never NULL.',
    alerts           INT NOT NULL                         COMMENT 'Rows of table alerts that belong to this tarball. Never NULL.',
    duplicates       INT NOT NULL                         COMMENT 'Alerts in it that another tarball owns. Never NULL.',
    partnership      INT                                  COMMENT 'Alerts in it, owned or not, with another programid than 1. NULL: not counted, and database ztf_public hides the tarball.',
    objects          INT NOT NULL                         COMMENT 'Distinct objects of its alerts. Never NULL.',
    limits           INT NOT NULL                         COMMENT 'Distinct upper limits that its packets brought. Never NULL.',
    history          INT NOT NULL                         COMMENT 'Distinct history detections that its packets brought. Never NULL.',
    forced           INT NOT NULL                         COMMENT 'Distinct epochs of forced photometry that its packets brought. Never NULL.',
    rejects          INT NOT NULL                         COMMENT 'Packets that were not loaded: rows of table rejects. Never NULL.',
    candid_sum       DECIMAL(40,0) NOT NULL               COMMENT 'Sum of the candids of its rows in alerts. Never NULL.',
    candid_first     BIGINT                               COMMENT 'Smallest candid of its alerts. NULL: it has none.',
    candid_last      BIGINT                               COMMENT 'Largest candid of its alerts. NULL: it has none.',
    jd_first         DOUBLE                               COMMENT 'Earliest exposure start of its alerts, Julian date, UTC. NULL: it has none. [d]',
    jd_last          DOUBLE                               COMMENT 'Latest exposure start of its alerts, Julian date, UTC. NULL: it has none. [d]',
    alerts_checksum  BIGINT UNSIGNED NOT NULL             COMMENT 'Checksum of its rows for alerts. Never NULL.',
    limits_checksum  BIGINT UNSIGNED NOT NULL             COMMENT 'Checksum of the rows it brought for alerts_limmag. Never NULL.',
    history_checksum BIGINT UNSIGNED NOT NULL             COMMENT 'Checksum of the rows it brought for alerts_prv. Never NULL.',
    forced_checksum  BIGINT UNSIGNED NOT NULL             COMMENT 'Checksum of the rows it brought for alerts_forced. Never NULL.',
    `schemas`        VARCHAR(255) NOT NULL                COMMENT 'Schema versions met, separated by commas. Never NULL.',
    unknown_fields   TEXT                                 COMMENT 'Fields of the packets that no table has, and that were left out. NULL: none.',
    thumbnails       INT NOT NULL                         COMMENT 'Alerts whose thumbnails were stored. Never NULL.',
    version          VARCHAR(64) NOT NULL                 COMMENT 'Version of alertdb that loaded it. Never NULL.',
    loaded_at        DATETIME(6) NOT NULL                 COMMENT 'When it was loaded, UTC. Never NULL.',
    seconds          DOUBLE NOT NULL                      COMMENT 'How long the load took. Never NULL. [s]',
    PRIMARY KEY (id),
    UNIQUE KEY name (name),
    UNIQUE KEY sha256 (sha256)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
    COMMENT='The ledger: tarballs that were loaded';

-- Every packet that was not loaded. A member may hold several packets, so its position alone is no key.
CREATE TABLE rejects (
    tarball  BIGINT NOT NULL        COMMENT 'Tarball that holds the packet: tarballs.id. Never NULL.',
    position BIGINT NOT NULL        COMMENT 'Where the member starts in the unpacked tarball, 0 for a file of a folder. Never NULL. [byte]',
    member   VARCHAR(512) NOT NULL  COMMENT 'Name of the member of the tarball (file of the folder). Never NULL.',
    packet   INT NOT NULL DEFAULT 0 COMMENT 'Place of the packet in the member, counted from 0: more than 0 only where a member holds several. Never NULL.',
    reason   VARCHAR(1024) NOT NULL COMMENT 'Why it was not loaded. Never NULL.',
    PRIMARY KEY (tarball, position, member, packet)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
    COMMENT='Packets that were not loaded, and why';

-- What the tables that all nights share must hold: brought up to date by every load, together with its rows.
CREATE TABLE table_checksums (
    name      VARCHAR(64) NOT NULL     COMMENT 'Name of the table. Never NULL.',
    row_count BIGINT NOT NULL          COMMENT 'Rows that it must hold. Never NULL.',
    checksum  BIGINT UNSIGNED NOT NULL COMMENT 'Sum of their row_hash modulo 2^64. Never NULL.',
    PRIMARY KEY (name)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
    COMMENT='Rows and checksums of the tables that several tarballs fill';

"""Backups of a whole archive, and the way back; why they are made so: docs/decisions/operation.md.

A backup folder holds one folder per backup, named by its time (UTC), which is laid out as an archive's home is::

    2026-11-21T15-22-00Z/
        mariadb/data/        all databases and accounts of the server, ready to be started
        thumbnails/          the sealed files; those that the backup before has too are hard links to its
        secrets/             the passwords of the archive's own accounts
        alertdb.toml         its settings
        backup.json          when, by which versions, how many tarballs and alerts
        SHA256SUMS           of all the files above; `sha256sum --check` reads it
    unfinished/              a backup under way, or what is left of one that broke off
"""

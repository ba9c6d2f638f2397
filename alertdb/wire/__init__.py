"""Results of MariaDB's binary protocol as Arrow, read from the socket that the driver has opened.

The driver connects and logs in. Then `link.Link` sends statements over its socket, and a compiled kernel writes the
rows into columns. Why: docs/decisions/queries.md.
"""

"""What fills the archive: packets to rows, rows to tables or CSV files; cutouts; the ledger; the summary."""

import os

# Loading runs in threads and processes of its own; polars' pool beside them only takes the cores from each other.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

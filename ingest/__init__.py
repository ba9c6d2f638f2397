"""What fills the archive: packets to rows, rows to CSV, CSV to tables; cutouts; the ledger; the summary."""

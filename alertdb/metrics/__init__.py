"""What there is to watch over an archive, as numbers for Prometheus; docs/runbook.md says what to make of them."""

"""The `alertdb` program: one module per group of commands."""

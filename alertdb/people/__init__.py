"""People with an account of their own: their rights, their scratch database, their limits."""

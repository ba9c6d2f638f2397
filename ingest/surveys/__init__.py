"""One file per survey: where in its packets the fields stand and how they map to tables."""

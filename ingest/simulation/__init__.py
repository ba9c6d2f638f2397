"""Nights of simulated alerts whose truth is known: `ingest.simulation.nights.simulate_nights`."""

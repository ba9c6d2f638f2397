"""Nights of simulated alerts whose truth is known."""

from ingest.simulation.nights import simulate_nights

__all__ = ["simulate_nights"]

"""Nights of simulated alerts whose truth is known."""

"""Watched folders: tarballs that appear in them are loaded; see docs/decisions/operation.md."""

"""Nightly tarballs from an archive on the web: resumed where they broke off, verified, one at a time."""

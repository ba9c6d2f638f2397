"""Thumbnails in a Couchbase cluster. Import `store` from here only when such a URL is opened: it brings the SDK."""

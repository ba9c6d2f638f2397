"""The library of an alert archive: connect, query, light curves, thumbnails, plots, the private server."""

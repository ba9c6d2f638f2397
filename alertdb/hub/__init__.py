"""The hub: JupyterHub for the members of a GitHub organisation, with the archive at hand in every notebook."""

"""Model files, endpoints and roles: the one way to reach a model."""

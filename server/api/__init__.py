"""The native HTTP API under /api/v1, one module a resource."""

"""The audit log: what was decided, by which weights, on what grounds; append-only, and proof against quiet changes."""

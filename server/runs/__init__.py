"""Runs: durable rows, detached tasks, append-only events, readers with cursors."""

"""The sidecar that trains, measures and exports the adapters which the graph loads; nothing imports it."""

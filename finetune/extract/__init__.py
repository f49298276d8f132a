"""Training of an adapter for the fields that no reader knows: it copies values out of a passage, or says null."""

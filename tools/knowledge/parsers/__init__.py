"""One module per file format; each has `parse(data, limits) -> RawDocument`."""

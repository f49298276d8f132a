"""From a trained adapter to files that a server loads, proven equal before they leave."""

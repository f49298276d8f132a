"""What a model writes passes these before anybody sees it, piece by piece."""

"""`make bench`: what Switchyard adds to the model it runs on, measured beside that model in the same run."""

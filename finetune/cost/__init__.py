"""Tune, prompt or rules? What each costs in a year, for given volumes and prices."""

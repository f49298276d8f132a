"""The crash matrix: a real server, killed at chosen points of a run's life, started again and checked.

`python -m tests.crash` (`make crash`) runs it and writes docs/results/crash.json and docs/reliability.md.
"""

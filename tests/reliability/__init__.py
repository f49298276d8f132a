"""What the server keeps when readers come and go, many at once and for long, and whatever they send.

`python -m tests.reliability fuzz|load|soak|contract` (`make reliability`) measure; each writes
docs/results/NAME.json, and `page` makes docs/reliability.md of them and of the crash matrix.
"""

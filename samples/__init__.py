"""A fictional card issuer's papers and transactions, and the script that builds them."""

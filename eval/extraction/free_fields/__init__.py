"""Fields of callers' own schemas, which no reader knows: documents, names for what they say, and what is right.

As the generator, whose documents they are, this has two sides that share no name and no wording; on the one an adapter
is trained, on the other it is measured.
"""

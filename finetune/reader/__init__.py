"""Trains the span reader of the knowledge route: is the answer to a question in a passage, and where?"""

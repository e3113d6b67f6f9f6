"""Random requests to every endpoint: sound ones, sound but for one absurd number, and ones that are only nearly of the right form.

What the document describes is generated from it, so that a new endpoint, field or layer is met without a change here; networks whose shapes fit
each other, which a schema cannot say, are put together by hand.
"""

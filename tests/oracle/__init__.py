"""A second program that predicts every cent of an import, sharing no line with the first.

It knows a log, its mapping, the exported prices and the rules of `docs/decisions/`, nothing else.
"""

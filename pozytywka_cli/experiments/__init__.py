"""Randomized experiments: assign units to arms, log exposures and outcomes, and analyse the difference.

A unit is a user or an artist; its id is a text. Times are microseconds since 1970, UTC.
"""

"""Tuning: a search for the fairest of the most accurate recipes."""

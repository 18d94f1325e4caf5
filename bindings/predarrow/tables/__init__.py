"""Prediction tables that others made: brought into form, checked row by row against a project."""

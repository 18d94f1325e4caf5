"""Predictions as Python objects, and their way into batches of the prediction table."""

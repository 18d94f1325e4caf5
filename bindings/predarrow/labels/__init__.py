"""Labels written in Python: objects over frames and classifications, saved as rows of the prediction table."""

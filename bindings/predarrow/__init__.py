"""Masks, boxes and labels from models and labelling tools into columnar Arrow tables."""
__version__ = "0.1.0"

"""Kernels of predarrow: arrays in, arrays out.

Nothing here knows Arrow, paths or files. Import the topic that you need (`predarrow_engine.trace`, …):
this package imports nothing by itself, so that `import predarrow` stays cheap.
"""

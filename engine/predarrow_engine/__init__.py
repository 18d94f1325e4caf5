"""Kernels of predarrow: arrays in, arrays out.

Nothing here knows Arrow, paths or files, but for `small_files`, which reads many of them. Import the topic that you
need (`predarrow_engine.trace`, …): this package imports nothing by itself, so that `import predarrow` stays cheap.
"""

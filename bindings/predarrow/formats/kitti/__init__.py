"""KITTI's text files: labels, results and tracking."""

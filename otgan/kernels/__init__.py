"""Numba kernels: arrays and scalars in and out. Nothing here knows the rest of otgan."""

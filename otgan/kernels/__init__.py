"""Numba kernels: arrays, scalars and named tuples in and out. Nothing here knows the rest of otgan."""

"""Parts of `exact.py`: problems, the solvers that are compared, a measurement in its own process, and the report."""

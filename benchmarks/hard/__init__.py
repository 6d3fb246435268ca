"""Transport problems with masses and points that are hard for float64, and their values in rational arithmetic."""

"""Gradients of distances for torch users by the envelope theorem, without importing torch."""

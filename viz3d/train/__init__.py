"""Small reference trainers (PyTorch, optional)."""

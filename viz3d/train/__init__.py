"""Small reference trainers; they need PyTorch (``pip install "viz3d[train]"``)."""

"""The callbacks in the real trainers that call them."""

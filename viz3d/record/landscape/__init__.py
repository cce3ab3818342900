"""The true landscape: loss measured on a plane in weight space around a checkpoint."""

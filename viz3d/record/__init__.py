"""The training side: what a training loop calls to write a run folder."""

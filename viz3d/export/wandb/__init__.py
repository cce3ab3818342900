"""Charts to Weights & Biases: checked, drawn into files, sent by a process of the library's own."""

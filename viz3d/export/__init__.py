"""A finished chart to a file. One file per kind of export."""

"""Every parser against logs that are made up, whole and damaged; a package, to share helpers."""

"""Where the bytes of a run come from. Nothing here knows what a file means."""

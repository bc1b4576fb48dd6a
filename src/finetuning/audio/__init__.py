"""Sound on this machine: files, measurements, the player."""

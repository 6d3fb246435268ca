"""What the process runs on: memory limits, cores, Ctrl-C, torch devices."""

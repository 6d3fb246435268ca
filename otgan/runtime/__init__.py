"""What the process runs on: memory limits, Ctrl-C, torch devices."""

"""Parts of `critics.py`: what is trained on which data, in which pool of processes, and the tables of the records."""

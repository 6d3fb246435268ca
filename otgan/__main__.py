"""``python -m otgan`` is the command ``otgan``."""

from otgan_cli import main

if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m poems` is the command `poems`."""

from poems.cli import main

if __name__ == "__main__":
    main()

"""`python -m editkit`."""

from editkit.cli.main import main

if __name__ == "__main__":
    main()

"""`python -m bodypix` is the command `bodypix`."""

from bodypix.cli.app import main

if __name__ == "__main__":
    main()

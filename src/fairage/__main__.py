"""`python -m fairage` is the command `fairage`."""

from fairage.cli.app import main

if __name__ == "__main__":
    main()

"""`python -m fairage` is the command `fairage`."""

from fairage.cli.app import run_process

if __name__ == "__main__":
    run_process()

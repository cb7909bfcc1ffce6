"""The command line as `python -m meetup2025`."""

from meetup2025.cli import main

main(prog_name="meetup2025")

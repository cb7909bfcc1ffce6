"""
The command line: `python -m meetup2025`, and the command `meetup2025`.

Ctrl-C ends it without a traceback: while it is imported by the signal itself, afterwards with the exit code 130.
"""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from meetup2025.cli import main as run

    try:
        signal.signal(signal.SIGINT, before)
        run(prog_name="meetup2025")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

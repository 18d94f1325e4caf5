"""The `predarrow` command.

`app.py` has the commands' tree, `output.py` what all of them share (results, progress, exit codes), `file_options.py`
and `outcome.py` what those of several formats share (options; how they run and what they tell in the end), the other
modules the commands. Nothing heavy is imported before a command runs: `predarrow --help` stays under 0.2 s.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from predarrow.cli.app import run
    except KeyboardInterrupt:  # 0.1 s in which nothing has begun yet
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))

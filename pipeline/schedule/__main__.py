"""``python -m pipeline.schedule PID COMMAND ...``: a command of ours that ends at once when process PID is gone, kill -9 included."""

from __future__ import annotations

import sys

from pipeline.cli.main import main
from serving.server.orphan import watch

if __name__ == "__main__":
    watch(int(sys.argv[1]), None)
    main(sys.argv[2:])

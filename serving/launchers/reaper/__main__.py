"""The reaper as a program."""

import sys

from serving.launchers.reaper import main

sys.exit(main(sys.argv[1:]))

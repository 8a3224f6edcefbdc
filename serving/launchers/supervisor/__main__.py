"""The supervisor as a program."""

import sys

from serving.launchers.supervisor import main

sys.exit(main(sys.argv[1:]))

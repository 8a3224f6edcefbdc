"""``python -m pipeline``: the same command line as ``sluiceway``."""

from pipeline.cli.main import main

if __name__ == "__main__":
    main()

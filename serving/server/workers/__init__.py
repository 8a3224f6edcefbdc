"""Several processes behind the same ports, because one Python process is one core.

    supervisor (no TensorFlow) ── holds the ports' numbers, starts, watches and ends the workers
      ├── worker 0 ─┐
      ├── worker 1 ─┼── each a whole server that listens on the same ports; the kernel shares connections out
      └── ...      ─┘

A request about the whole server (status, metrics, readiness, reload) is passed up by the worker that got it; the supervisor asks all.
"""

"""What the process that starts a run and the process that is run call what lies between them.

Names alone, so that the one loads nothing of what the other needs.
"""

from __future__ import annotations

RUN_VARIABLE = "_SEEDPROOF_RUN"  # the run's directory, in the environment of its processes
LAUNCH_FILE = "launch.json"
OURS = "ours"  # in that file: which variables are no part of what the script was given
TRACE_DIRECTORY = "trace"
VIEW_FILE = "view.json"

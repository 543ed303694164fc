"""Become another program that ends when its parent does.

``launcher.py PARENT SIGNAL USER PROGRAM ARGUMENT…``: run by path, with no import of ours, so that
it costs nothing. On Linux the kernel sends SIGNAL the moment the parent is gone, SIGKILL included.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal_name, user, *command = sys.argv[1:]
    if user:
        import pwd

        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    # After the change of user, which would clear it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.Signals[signal_name]), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("The parent ended first.")
    os.execvp(command[0], command)  # noqa: S606 - that is its purpose


main()

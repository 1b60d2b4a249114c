# SPDX-License-Identifier: Apache-2.0
"""``python -m pilake._bound ARGUMENTS…``: the command line, ended when its standard input ends.

A job that is cancelled kills the process that began this one, without a word to it. The pipe between
them ends then, however that came.
"""

import os
import signal
import sys
import threading

from .__main__ import main


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # The program waits for it; a thread that does not block it would let it end the process at once.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_wait_for_the_end, daemon=True).start()
    sys.exit(main())

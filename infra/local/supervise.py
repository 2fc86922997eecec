"""Runs the emulator and ends it, with all its processes, when the calling process ends.

Standard input is a pipe whose other end the calling process holds. It is closed
when that process ends for any reason. The emulator is then requested to stop, and
writes its state. After a grace period it and every Lambda process that it started
are killed. Finally TMPDIR, which belongs to this run, is deleted.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 5


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def main():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    emulator = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    signal.signal(signal.SIGTERM, lambda *_: emulator.terminate())

    def end_with_the_asking_process():
        sys.stdin.buffer.read()
        emulator.terminate()
        time.sleep(GRACE_SECONDS)
        kill_group(emulator.pid)

    threading.Thread(target=end_with_the_asking_process, daemon=True).start()
    code = emulator.wait()
    kill_group(emulator.pid)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    sys.exit(code)


main()

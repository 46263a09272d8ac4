"""A service for the tests: answers 200 on a port, or ends at once when told to.

usage: fake_service.py PORT FILE [stubborn]
Writes its pid to FILE. While FILE.broken exists it ends with status 1 instead. `stubborn` has a
child that holds the port and ignores the death of its parent.
"""

import http.server
import os
import signal
import subprocess
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    if file.with_suffix(".broken").exists():
        sys.exit("broken on purpose")
    if "stubborn" in sys.argv[3:]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        subprocess.run([sys.executable, __file__, str(port), str(file)], check=False)
        return
    file.write_text(str(os.getpid()))
    print(f"serving on {port}", flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()

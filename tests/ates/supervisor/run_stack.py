"""Runs a stack of fake services in the foreground, as `ates up` does with the real ones.

usage: run_stack.py HOME PORT [PORT...] [stubborn]
"""

import sys
from pathlib import Path

from ates import settings
from ates.probes import Answers
from ates.services import Service
from ates.supervisor import AlreadyRunningError, PortsTakenError, Stack

FAKE = Path(__file__).with_name("fake_service.py")


def fake(home: Path, name: str, port: int, needs: tuple[str, ...] = (), *words: str) -> Service:
    return Service(
        name=name,
        command=[sys.executable, str(FAKE), str(port), str(home / f"{name}.pid"), *words],
        probe=Answers(port, "/"),
        needs=needs,
        ports={f"{name.upper()}_PORT": port},
        stop_seconds_max=5,
    )


def main() -> None:
    home, words = Path(sys.argv[1]), sys.argv[2:]
    ports = [int(word) for word in words if word.isdigit()]
    more = [word for word in words if not word.isdigit()]
    services: list[Service] = []
    for number, port in enumerate(ports):
        needs = (services[-1].name,) if services else ()
        services.append(fake(home, f"fake{number}", port, needs, *more))
    loaded = settings.load({"ATES_HOME": str(home)}, dotenv_file=None)
    with Stack(loaded, services) as stack:
        try:
            stack.start(_tell)
            print("all ready", flush=True)
            stack.wait_forever(_tell)
        except KeyboardInterrupt:
            stack.stop(_tell)
        except (AlreadyRunningError, PortsTakenError) as error:
            sys.exit(str(error))


def _tell(name: str, what: str, _seconds: float) -> None:
    print(name, what, flush=True)


if __name__ == "__main__":
    main()

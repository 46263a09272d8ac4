"""How long to wait before a mail is tried again; pure."""

import datetime as dt
from random import Random

DELAY_SECONDS_FIRST = 2.0
DELAY_SECONDS_MAX = 300.0
# Nobody can fix a wrong address by waiting, but a person may: look again this often.
BLOCKED_DELAY = dt.timedelta(hours=1)


def retry_delay(attempts: int, rng: Random) -> dt.timedelta:
    """The wait after the `attempts`-th failure: doubles each time up to DELAY_SECONDS_MAX.

    Between half and all of it is used, so that many mails do not come back at one instant.
    """
    assert attempts >= 1, attempts
    doublings = min(attempts - 1, 16)
    delay_seconds = min(DELAY_SECONDS_FIRST * 2**doublings, DELAY_SECONDS_MAX)
    return dt.timedelta(seconds=delay_seconds * rng.uniform(0.5, 1.0))

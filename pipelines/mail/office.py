"""One round of the mail office: plan what was paid since, send what is due, count what waits."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pipelines import metrics
from pipelines.lakes import open_reader
from pipelines.mail.database import create_schema, open_engine
from pipelines.mail.deliveries import read_queue
from pipelines.mail.planning import plan_deliveries
from pipelines.mail.sending import Sender, SendReport, send_due
from pipelines.mail.smtp import SmtpServer
from pipelines.settings import MailSettings
from warehouse.settings import LakeSettings


class RoundReport(msgspec.Struct, frozen=True):
    """What one round did, and how many deliveries are in which state after it."""

    count_planned: int
    sent: SendReport
    states: dict[str, int]

    @property
    def is_quiet(self) -> bool:
        """Whether there was nothing to do."""
        sent = self.sent
        return not (
            self.count_planned or sent.count_sent or sent.count_retried or sent.count_blocked
        )


@contextmanager
def open_office(
    mail: MailSettings, lake: LakeSettings, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Sender]:
    """Everything a round needs, kept open; makes the tables when they are missing."""
    engine = open_engine(mail.database_url)
    try:
        create_schema(engine)
        with open_reader(lake) as connection:
            yield Sender(
                engine=engine,
                lake=connection,
                server=SmtpServer.from_url(mail.smtp_url),
                mail_from=mail.mail_from,
                zone=mail.zone,
                clock=lambda: dt.datetime.now(dt.UTC),
                rng=random.Random(),  # noqa: S311 - spreads retries, guards nothing
                should_stop=should_stop,
            )
    finally:
        engine.dispose()


def work_one_round(sender: Sender, *, budget_seconds: float) -> RoundReport:
    """Plan, send for about `budget_seconds`, count. What is left is for the next round."""
    count_planned = plan_deliveries(
        sender.lake, sender.engine, mail_from=sender.mail_from, now=sender.clock()
    )
    sent = send_due(sender, budget_seconds=budget_seconds)
    queue = read_queue(sender.engine)
    metrics.note_mail_round(queue.counts, queue.waiting_since, sender.clock())
    return RoundReport(count_planned, sent, queue.counts)

"""Apache Kafka 4.4 (KRaft, one node) from pinned jars and the Java of a wheel, on loopback.

`python -m ates.embedded.kafka FOLDER PORT CONTROLLER_PORT SECRETS PREFIX` formats the data folder
when it is missing, becomes `java` (same pid) and, once it answers, grants the rights below.

Invariant: `relay` may create and write topics with our prefix, `ingest` may read them, nobody else
may do anything. The broker is disposable: a wiped data folder is formatted again with the same
users; what it lost is read from the event log.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from ates import passwords
from ates.embedded import jars, process, warmth

USERS = ("admin", "relay", "ingest")
MECHANISM = "SCRAM-SHA-512"
ANSWER_SECONDS_MAX = 150.0
HEAP_MEGABYTES = 256
RECORD_BYTES_MAX = 8 * 1024 * 1024
CLUSTER_ID_CHARACTERS = 22  # 16 bytes in base64
JVM_FLAGS = (
    "-Xms96m",
    f"-Xmx{HEAP_MEGABYTES}m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka's own use of it; Java 25 warns
    "-Djava.awt.headless=true",
)
LOGGING = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd HH:mm:ss.SSS} %p %c{1} %m%n
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,CLIENT:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.\
PlainLoginModule required username="controller" password="{controller}" \
user_controller="{controller}";
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.\
ScramLoginModule required username="admin" password="{admin}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:controller
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
log.dirs={data}
log.retention.hours=168
log.cleaner.dedupe.buffer.size=8388608
message.max.bytes={record_bytes_max}
replica.fetch.max.bytes={record_bytes_max}
num.network.threads=2
num.io.threads=4
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class KafkaServer(msgspec.Struct, frozen=True):
    """Where a broker lives. An empty `topic_prefix` grants the rights on every topic (tests)."""

    folder: Path
    port: int
    controller_port: int
    secrets: Path
    topic_prefix: str

    stop_signal = signal.SIGTERM

    def command(self) -> list[str]:
        """Starts the broker in the foreground."""
        place = [str(self.folder), str(self.port), str(self.controller_port), str(self.secrets)]
        return [sys.executable, "-m", "ates.embedded.kafka", *place, self.topic_prefix]

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def password(self, user: str) -> str:
        """The generated password of one of USERS."""
        assert user in (*USERS, "controller"), user
        return passwords.read_or_create(self.secrets, f"kafka_{user}_password")

    def credentials(self, user: str) -> dict[str, Any]:
        """Keyword arguments of every kafka-python client class, to connect as this user."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": user,
            "sasl_plain_password": self.password(user),
        }


def serve(server: KafkaServer) -> None:
    """Become the broker; does not return."""
    server.folder.mkdir(parents=True, exist_ok=True)
    (server.folder / process.READY_FILE).unlink(missing_ok=True)
    class_path = jars.class_path()
    properties = _write_configuration(server)
    data = server.folder / "data"
    if not (data / "meta.properties").exists():
        shutil.rmtree(data, ignore_errors=True)  # a format that was interrupted
        _format(server, class_path, properties)
    pid = os.getpid()
    process.in_background(lambda: _set_up(server, pid))
    logging = f"-Dlog4j2.configurationFile={server.folder / 'log4j2.properties'}"
    scratch = f"-Djava.io.tmpdir={server.folder / 'scratch'}"
    java = jars.java()
    warm = warmth.flags(java, class_path, JVM_FLAGS, jars.cache_folder())
    words = [java, *JVM_FLAGS, *warm, logging, scratch, "-cp", class_path]
    words += ["kafka.Kafka", str(properties)]
    sys.stdout.flush()
    os.execv(java, words)  # noqa: S606 - becoming the broker is the point


def _write_configuration(server: KafkaServer) -> Path:
    """Written anew at each start; the file holds passwords, hence the mode."""
    scratch = server.folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)  # native libraries unpacked by an earlier life
    scratch.mkdir()
    (server.folder / "log4j2.properties").write_text(LOGGING, encoding="ascii")
    text = PROPERTIES.format(
        port=server.port,
        controller_port=server.controller_port,
        controller=server.password("controller"),
        admin=server.password("admin"),
        data=server.folder / "data",
        record_bytes_max=RECORD_BYTES_MAX,
    )
    return _write_private(server.folder / "server.properties", text)


def _write_private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _format(server: KafkaServer, class_path: str, properties: Path) -> None:
    """Make the data folder with its users. Their passwords go through a file, not through `ps`."""
    cluster_id = passwords.read_or_create(server.secrets, "kafka_cluster_id")
    # One word: an id may begin with a dash, and would be taken for an option.
    words = [f"--cluster-id={cluster_id[:CLUSTER_ID_CHARACTERS]}", "-c", str(properties)]
    for user in USERS:
        words += ["--add-scram", f"{MECHANISM}=[name={user},password={server.password(user)}]"]
    arguments = _write_private(server.folder / ".format", "\n".join(words))
    tool = ["-XX:TieredStopAtLevel=1", "-cp", class_path, "kafka.tools.StorageTool", "format"]
    try:
        # its output shows what the passwords hash to, so only complaints are kept
        subprocess.run([jars.java(), *tool, f"@{arguments}"], check=True, stdout=subprocess.DEVNULL)
    finally:
        arguments.unlink()


def _set_up(server: KafkaServer, pid: int) -> None:
    """Wait until the broker answers, grant the rights, announce it ready."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while not process.is_port_taken(server.port):
        assert time.monotonic() < deadline, "the broker does not listen"
        time.sleep(process.POLL_SECONDS)
    while True:
        try:
            client = KafkaAdminClient(**server.credentials("admin"))
            break
        except (KafkaError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(process.POLL_SECONDS)
    client.create_acls(_rights(server.topic_prefix))
    client.close()
    process.announce_ready(server.folder, pid)


def _rights(prefix: str) -> list[Any]:
    from kafka.admin import (
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    kind = ACLResourcePatternType.PREFIXED if prefix else ACLResourcePatternType.LITERAL
    topics = ResourcePattern(ResourceType.TOPIC, prefix or "*", kind)
    groups = ResourcePattern(ResourceType.GROUP, prefix or "*", kind)
    grants = [
        ("relay", ACLOperation.CREATE, topics),
        ("relay", ACLOperation.WRITE, topics),  # includes describe and idempotent writes
        ("ingest", ACLOperation.READ, topics),  # includes describe
        ("ingest", ACLOperation.READ, groups),
    ]
    return [
        ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, pattern)
        for user, operation, pattern in grants
    ]


def main() -> None:
    """Read FOLDER PORT CONTROLLER_PORT SECRETS PREFIX and serve."""
    folder, port, controller_port, secrets, prefix = sys.argv[1:]
    serve(KafkaServer(Path(folder), int(port), int(controller_port), Path(secrets), prefix))


if __name__ == "__main__":
    main()

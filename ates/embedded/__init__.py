"""Real PostgreSQL and Apache Kafka from Python packages alone, as foreground child processes."""

"""From a committed command to the event log and on to Kafka, without holes."""

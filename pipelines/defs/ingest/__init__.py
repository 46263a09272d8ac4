"""From Kafka into the lake."""

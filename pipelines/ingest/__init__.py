"""From Kafka into the lake, exactly once, without knowing who drives it."""

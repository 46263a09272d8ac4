"""Where events come from: the tracker's log and the topics it is published to."""

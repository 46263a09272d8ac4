-- The lake holds every event as the event log has it, field by field.
-- asset: raw.events
select
    lake_event.position,
    lake_event.event_id,
    log_event.event_id as log_event_id,
    lake_event.type,
    log_event.type as log_type,
from lake_events as lake_event
inner join log_events as log_event on log_event.position = lake_event.position
where lake_event.event_id <> log_event.event_id
    or lake_event.type <> log_event.type
    or lake_event.version <> log_event.version
    or lake_event.subject <> log_event.subject
    or lake_event.sequence <> log_event.sequence
    or lake_event.occurred_at <> log_event.occurred_at
    or lake_event.business_date <> log_event.business_date
    or lake_event.correlation_id <> log_event.correlation_id
    or not contains(log_event.body, lake_event.data)

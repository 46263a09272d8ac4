"""Creates every table of the tracker, because there was nothing before.

The outbox is emptied all day long: autovacuum must go by its turnover, not by its size.
"""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    create table employees (
        employee_id uuid primary key,
        external_id text unique,
        name text not null,
        email text not null,
        role text not null,
        is_active boolean not null,
        password_hash text,
        version integer not null,
        registered_at timestamptz not null,
        constraint employees_name_check check (length(name) between 1 and 200),
        constraint employees_email_check check (length(email) between 3 and 254),
        constraint employees_role_check
            check (role in ('worker', 'manager', 'accountant', 'admin')),
        constraint employees_version_check check (version >= 1)
    )
    """,
    "create unique index employees_lower_email_key on employees (lower(email))",
    """
    create index employees_assignable_idx on employees (employee_id)
    where is_active and role in ('worker', 'accountant')
    """,
    """
    create table sessions (
        session_hash bytea primary key,
        employee_id uuid not null references employees on delete cascade,
        created_at timestamptz not null,
        last_seen_at timestamptz not null,
        expires_at timestamptz not null,
        constraint sessions_session_hash_check check (length(session_hash) = 32)
    )
    """,
    "create index sessions_employee_id_idx on sessions (employee_id)",
    "create index sessions_expires_at_idx on sessions (expires_at)",
    """
    create table tasks (
        task_id uuid primary key,
        external_id text unique,
        title text not null,
        jira_id text,
        status text not null,
        assignee_id uuid not null references employees,
        fee_cents bigint not null,
        reward_cents bigint not null,
        assignment_number integer not null,
        version integer not null,
        created_by uuid not null,
        created_at timestamptz not null,
        completed_at timestamptz,
        constraint tasks_title_check check (length(title) between 1 and 500),
        constraint tasks_status_check check (status in ('open', 'done')),
        constraint tasks_completed_at_check
            check ((status = 'done') = (completed_at is not null)),
        constraint tasks_fee_cents_check
            check (fee_cents between 1000 and 2000 and fee_cents % 100 = 0),
        constraint tasks_reward_cents_check
            check (reward_cents between 2000 and 4000 and reward_cents % 100 = 0),
        constraint tasks_assignment_number_check check (assignment_number >= 1),
        constraint tasks_version_check check (version > assignment_number)
    )
    """,
    "create index tasks_open_idx on tasks (assignee_id, created_at) where status = 'open'",
    "create index tasks_done_idx on tasks (assignee_id, completed_at) where status = 'done'",
    """
    create table business_days (
        business_date date primary key,
        last_position bigint not null,
        count_events bigint not null,
        fees_cents bigint not null,
        rewards_cents bigint not null,
        is_mail_wanted boolean not null,
        closed_at timestamptz not null,
        constraint business_days_amounts_check check (
            last_position >= 0 and count_events >= 0 and fees_cents >= 0 and rewards_cents >= 0
        )
    )
    """,
    """
    create table idempotency_keys (
        actor text,
        key text,
        request_hash bytea not null,
        status smallint not null,
        body text not null,
        created_at timestamptz not null,
        primary key (actor, key),
        constraint idempotency_keys_key_check check (length(key) between 1 and 200),
        constraint idempotency_keys_request_hash_check check (length(request_hash) = 32),
        constraint idempotency_keys_status_check check (status between 200 and 499)
    )
    """,
    "create index idempotency_keys_created_at_idx on idempotency_keys (created_at)",
    """
    create table outbox (
        outbox_id bigint generated always as identity primary key,
        event_id uuid not null,
        type text not null,
        version smallint not null,
        topic text not null,
        subject text not null,
        sequence integer not null,
        occurred_at timestamptz not null,
        business_date date not null,
        correlation_id uuid not null,
        fee_cents bigint not null default 0,
        reward_cents bigint not null default 0,
        body text not null
    ) with (
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_insert_threshold = 5000
    )
    """,
    """
    create table event_log (
        position bigint primary key,
        event_id uuid not null unique,
        type text not null,
        version smallint not null,
        topic text not null,
        subject text not null,
        sequence integer not null,
        occurred_at timestamptz not null,
        business_date date not null,
        correlation_id uuid not null,
        fee_cents bigint not null default 0,
        reward_cents bigint not null default 0,
        body text not null,
        recorded_at timestamptz not null default statement_timestamp(),
        unique (subject, sequence),
        constraint event_log_position_check check (position >= 1),
        constraint event_log_sequence_check check (sequence >= 1),
        constraint event_log_amounts_check check (fee_cents >= 0 and reward_cents >= 0)
    )
    """,
    "create index event_log_business_date_idx on event_log (business_date)",
    """
    create table log_head (
        only_row boolean primary key default true,
        last_position bigint not null,
        constraint log_head_only_row_check check (only_row)
    )
    """,
    "insert into log_head (last_position) values (0)",
    """
    create table publications (
        only_row boolean primary key default true,
        published_position bigint not null,
        published_at timestamptz,
        constraint publications_only_row_check check (only_row)
    )
    """,
    "insert into publications (published_position) values (0)",
)


def upgrade() -> None:
    """Create the tables, indexes and the two single rows."""
    for statement in STATEMENTS:
        op.execute(statement)

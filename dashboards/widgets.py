"""Pieces that several pages are made of: spans, tables, downloads. They draw, they never read."""

import datetime as dt
import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.languages import DEFAULT, _, language
from dashboards.wording import amount, number

SPANS = {"7": 7, "30": 30, "90": 90, "365": 365}
DEFAULT_SPAN = "30"
OWN_SPAN = "own"
DAYS_MAX = 3_660  # ten years
AMOUNT_TYPE = pa.decimal128(18, 2)
SHARE_TYPE = pa.float64()
TABLE_ROWS_SHOWN = 10
TABLE_PIXELS = 400


def show_figure(
    place: DeltaGenerator,
    label: str,
    value: str,
    beside: str | None = None,
    *,
    arrow: Literal["up", "down", "off"] = "off",
    help: str | None = None,  # noqa: A002 - Streamlit's word
) -> None:
    """A figure with its name, and a second one or a word under it; no colour judges either."""
    place.metric(
        label, value, delta=beside, delta_color="off", delta_arrow=arrow, help=help
    )  # fmt: skip


class Days(msgspec.Struct, frozen=True):
    """A span of business days; without `last` it ends today, whenever that is."""

    count: int
    last: dt.date | None


def choose_days(key: str, first_date: dt.date | None, today: dt.date) -> Days:
    """Some spans that end today, or two dates of one's own; kept in the page's address."""
    labels = {**span_names(), OWN_SPAN: _("Other dates")}
    span = choose_one(_("Span"), labels, key=key, default=DEFAULT_SPAN)
    if span != OWN_SPAN:
        return Days(SPANS[span], None)
    earliest = max(min(first_date or today, today), today - dt.timedelta(days=DAYS_MAX - 1))
    chosen = st.date_input(
        _("From and to"),
        value=(max(earliest, today - dt.timedelta(days=29)), today),
        min_value=earliest,
        max_value=today,
        key=f"{key}-dates",
        bind="query-params",
        format="YYYY-MM-DD",
    )
    if not isinstance(chosen, tuple) or len(chosen) != 2:
        return Days(SPANS[DEFAULT_SPAN], None)  # the second date is still being chosen
    return Days((chosen[1] - chosen[0]).days + 1, chosen[1])


def span_names() -> dict[str, str]:
    """Spans that end today, as people call them."""
    return {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("1 year")}


def choose_one(label: str, options: Mapping[str, str], *, key: str, default: str) -> str:
    """One of some options, by value and label; the address holds the value in any language."""
    if key not in st.session_state:
        given = st.query_params.get(key, default)
        st.session_state[key] = given if given in options else default

    def note() -> None:
        st.query_params[key] = st.session_state[key]

    chosen = st.segmented_control(
        label, list(options), format_func=options.__getitem__, required=True,
        key=key, on_change=note,
    )  # fmt: skip
    return chosen or default


def choose_some(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    help: str,  # noqa: A002 - Streamlit's word
) -> list[str]:
    """Any of some options, none at first; the address holds their values, separated by commas."""
    if key not in st.session_state:
        given = st.query_params.get(key, "").split(",")
        st.session_state[key] = [value for value in options if value in given]

    def note() -> None:
        if chosen := st.session_state[key]:
            st.query_params[key] = ",".join(chosen)
        else:
            st.query_params.pop(key, None)

    return st.pills(
        label, list(options), selection_mode="multi", format_func=options.__getitem__,
        key=key, help=help, on_change=note,
    )  # fmt: skip


def choose_page(key: str, count_rows: int, page_rows: int) -> int:
    """Which page of a long list, from 1."""
    count_pages = -(-count_rows // page_rows)
    chosen = st.number_input(
        _("Page, of {count}").format(count=number(count_pages)),
        min_value=1, max_value=count_pages, step=1, key=key, bind="query-params", width=160,
    )  # fmt: skip
    return int(chosen)


def amounts(cents: Sequence[int | None]) -> pa.Array:
    """A column of money."""
    return pa.array([None if one is None else amount(one) for one in cents], AMOUNT_TYPE)


def shares(counts: Sequence[int], of_all: int) -> pa.Array:
    """A column of percents."""
    return pa.array([100 * count / of_all for count in counts], SHARE_TYPE)


def show_table(
    columns: dict[str, Any] | pa.Table,
    *,
    alt: str,
    rows_shown: int = TABLE_ROWS_SHOWN,
    key: str | None = None,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """A table whose amounts (columns made by `amounts`) and counts line up, sort, and are grouped.

    One of more than `rows_shown` rows is scrolled. `on_pick` gets the number of the row that
    somebody has just chosen.
    """
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    height = "content" if table.num_rows <= rows_shown else TABLE_PIXELS
    options: dict[str, Any] = {
        "hide_index": True, "column_config": _formats(table.schema), "height": height,
        "alt": alt, "key": key,
    }  # fmt: skip
    if on_pick is None or key is None:
        st.dataframe(table, **options)
        return

    def picked() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen:
            on_pick(chosen[0])

    st.dataframe(table, on_select=picked, selection_mode="single-row", **options)


def _formats(schema: pa.Schema) -> dict[str, Any]:
    """How numbers are written; a browser knows the customs of its own language and of ours."""
    is_default = language() == DEFAULT
    of_amounts = st.column_config.NumberColumn(
        format="%,.2f" if is_default else "localized", step=0.01
    )
    of_counts = st.column_config.NumberColumn(format="%,d" if is_default else "localized", step=1)
    of_shares = st.column_config.NumberColumn(format="%.0f%%")
    kinds = {AMOUNT_TYPE: of_amounts, SHARE_TYPE: of_shares, pa.int64(): of_counts}
    return {field.name: kinds[field.type] for field in schema if field.type in kinds}


def show_close(key: str, *names: str) -> None:
    """A button that takes some names, and with them what stands above, out of the address."""

    def close() -> None:
        for name in names:
            st.query_params.pop(name, None)

    st.button(_("Close"), key=key, on_click=close)


def show_downloads(export: str, **query: object) -> None:
    """Links to what stands above as CSV and as XLSX."""
    wanted = {name: str(value) for name, value in query.items() if value not in (None, "")}
    links = [
        f'<a href="/export/{export}.{kind}?{html.escape(urlencode(wanted))}" '
        f'style="color: inherit">{kind.upper()}</a>'
        for kind in ("csv", "xlsx")
    ]
    st.html(html.escape(_("Download:")) + f" {' · '.join(links)}")

"""Pictures of figures that are already calculated; colours are readable on light and dark."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import msgspec
from babel import dates, numbers

from dashboards.languages import _, _n, language, locale
from dashboards.wording import day, money, number

GAIN_COLOUR = "#2a9d6f"
LOSS_COLOUR = "#e0603c"
ZERO_COLOUR = "#8a9590"
CHART_HEIGHT_PIXELS = 300
LOSS_MARK = "▼"
SPECS_MAX = 100  # of pages, languages and names of figures there are a dozen
VALUES = alt.NamedData("values")
NAMED = {"name": "values"}
Spec = dict[str, Any]  # Vega-Lite


class DayBar(msgspec.Struct, frozen=True):
    """One day's sum, and further lines for whoever points at it, as pairs of name and text."""

    date: dt.date
    cents: int
    details: Sequence[tuple[str, str]] = ()


def bars_by_day(bars: Sequence[DayBar], name: str, *, height: int = CHART_HEIGHT_PIXELS) -> Spec:
    """A bar per day; a negative one hangs below zero, in another colour and under a mark."""
    titles = tuple(title for title, _text in bars[0].details)
    rows = [
        {
            "date": bar.date.isoformat(),
            "day": day(bar.date),
            "height": bar.cents / 100,  # pixels, not money: the labels are exact
            "sum": money(bar.cents),
            **{f"detail{index}": text for index, (_title, text) in enumerate(bar.details)},
        }
        for bar in bars
    ]
    return filled(_empty_bars(name, titles, height, language()), rows)


@lru_cache(SPECS_MAX)
def _empty_bars(name: str, titles: tuple[str, ...], height: int, _language: str) -> Spec:
    up = alt.Y("height:Q", axis=alt.Axis(title=None, format=",.0f"))
    is_loss = "datum.height < 0"
    across = days_across()
    base = alt.Chart(VALUES).encode(x=across)
    tooltip = [alt.Tooltip("day:N", title=_("Day")), alt.Tooltip("sum:N", title=name)]
    tooltip += [alt.Tooltip(f"detail{index}:N", title=title) for index, title in enumerate(titles)]
    colour = alt.condition(is_loss, alt.value(LOSS_COLOUR), alt.value(GAIN_COLOUR))
    drawn = base.mark_bar(cornerRadius=2).encode(y=up, color=colour, tooltip=tooltip)
    marks = (
        base.transform_filter(is_loss)
        .mark_text(text=LOSS_MARK, dy=10, color=LOSS_COLOUR, fontSize=11)
        .encode(y=up, x=across.bandPosition(0.5))
    )
    line = alt.Chart(alt.InlineData(values=[{"zero": 0}]))
    zero = line.mark_rule(color=ZERO_COLOUR).encode(y="zero:Q")
    return empty(alt.layer(drawn, marks, zero).properties(height=height))


def days_across() -> alt.X:
    """The axis of the field `date`, an ISO date.

    It is read as UTC and shown as UTC: no browser's zone may move a mark to another day.
    """
    return alt.X(
        "utcyearmonthdate(date):T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, format="%-d %b", labelOverlap=True, grid=False),
    )


def empty(chart: alt.TopLevelMixin) -> Spec:
    """A picture of VALUES that are still to come, in the language of whoever looks.

    To be remembered by language and words: Altair takes longer for it than all the rest of a page.
    """
    with alt.theme.enable("none"):
        spec: Spec = chart.configure(locale=chart_locale()).to_dict()
    return spec


def filled(spec: Spec, rows: Sequence[Mapping[str, Any]]) -> Spec:
    """An empty picture with its values; it is not changed itself."""
    if spec.get("data") == NAMED:
        return {**spec, "data": {"values": rows}}
    layers = [{**each, "data": {"values": rows}} if each.get("data") == NAMED else each
              for each in spec["layer"]]  # fmt: skip
    return {**spec, "layer": layers}


def in_words(bars: Sequence[DayBar]) -> str:
    """The chart for those who cannot see it."""
    best = max(bars, key=lambda bar: bar.cents)
    worst = min(bars, key=lambda bar: bar.cents)
    days = _n("{count} day.", "{count} days.", len(bars)).format(count=number(len(bars)))
    extremes = _("Highest: {best} on {best_day}. Lowest: {worst} on {worst_day}.").format(
        best=money(best.cents),
        best_day=day(best.date),
        worst=money(worst.cents),
        worst_day=day(worst.date),
    )
    return f"{days} {extremes}"


def chart_locale() -> alt.Locale:
    """How axes write numbers and months in the language of whoever looks."""
    spoken = locale()

    def months(width: str) -> list[str]:
        names = dates.get_month_names(width, locale=spoken)  # type: ignore[arg-type]
        return [names[month] for month in range(1, 13)]

    def days(width: str) -> list[str]:
        names = dates.get_day_names(width, locale=spoken)  # type: ignore[arg-type]
        return [names[index] for index in (6, 0, 1, 2, 3, 4, 5)]

    return alt.Locale(
        number=alt.NumberLocale(
            decimal=numbers.get_decimal_symbol(spoken),
            thousands=numbers.get_group_symbol(spoken),
            grouping=[3],
            currency=["", ""],
        ),
        time=alt.TimeLocale(
            dateTime="%x, %X", date="%d.%m.%Y", time="%H:%M:%S", periods=["AM", "PM"],
            days=days("wide"), shortDays=days("abbreviated"),
            months=months("wide"), shortMonths=months("abbreviated"),
        ),
    )  # fmt: skip

"""Pictures of figures that are already calculated; colours are readable on light and dark."""

from collections.abc import Sequence

import altair as alt

from dashboards.wording import day, money
from warehouse.company import CompanyDay

GAIN_COLOUR = "#2a9d6f"
LOSS_COLOUR = "#e0603c"
ZERO_COLOUR = "#8a9590"
CHART_HEIGHT_PIXELS = 300


def earnings_by_day(days: Sequence[CompanyDay]) -> alt.LayerChart | alt.FacetChart:
    """A bar per day; a negative one hangs below zero, in another colour and under a mark."""
    rows = [
        {
            "date": one.business_date.isoformat(),
            "day": day(one.business_date),
            "height": one.earnings_cents / 100,  # pixels, not money: the labels below are exact
            "earnings": money(one.earnings_cents),
            "fees": money(one.fees_cents),
            "rewards": money(one.rewards_cents),
            "state": "closed" if one.is_closed else "open",
        }
        for one in days
    ]
    # Dates are read as UTC and shown as UTC: no browser's zone may move a bar to another day.
    across = alt.X(
        "utcyearmonthdate(date):T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, format="%d %b", labelOverlap=True, grid=False),
    )
    up = alt.Y("height:Q", axis=alt.Axis(title="Earnings", format=",.0f"))
    is_loss = "datum.height < 0"
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=across)
    bars = base.mark_bar(cornerRadius=2).encode(
        y=up,
        color=alt.condition(is_loss, alt.value(LOSS_COLOUR), alt.value(GAIN_COLOUR)),
        tooltip=[
            alt.Tooltip(f"{field}:N", title=field.capitalize())
            for field in ("day", "earnings", "fees", "rewards", "state")
        ],
    )
    marks = (
        base.transform_filter(is_loss)
        .mark_text(text="▼", dy=10, color=LOSS_COLOUR, fontSize=13)
        .encode(y=up, x=across.bandPosition(0.5))
    )
    zero_line = alt.Chart(alt.InlineData(values=[{"zero": 0}]))
    zero = zero_line.mark_rule(color=ZERO_COLOUR).encode(y="zero:Q")
    return alt.layer(bars, marks, zero).properties(height=CHART_HEIGHT_PIXELS)


def in_words(days: Sequence[CompanyDay]) -> str:
    """The chart for those who cannot see it."""
    best = max(days, key=lambda one: one.earnings_cents)
    worst = min(days, key=lambda one: one.earnings_cents)
    return (
        f"Earnings of {len(days)} days. "
        f"Highest: {money(best.earnings_cents)} on {day(best.business_date)}. "
        f"Lowest: {money(worst.earnings_cents)} on {day(worst.business_date)}."
    )

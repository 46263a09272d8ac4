"""One partition per certified business day, added as its certificate arrives.

A calendar from a fixed start would be either too short for an imported log or mostly empty.
"""

import dagster as dg

business_dates = dg.DynamicPartitionsDefinition(name="business_date")

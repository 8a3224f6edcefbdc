"""Requests that every taxi model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

from typing import Any

_TRIP: dict[str, Any] = {
    "company": "Blue Ribbon Taxi Association Inc.",
    "dropoff_census_tract": 17031081700,
    "dropoff_community_area": 8,
    "dropoff_latitude": 41.8920,
    "dropoff_longitude": -87.6189,
    "fare": 9.25,
    "payment_type": "Credit Card",
    "pickup_census_tract": None,
    "pickup_community_area": 32,
    "pickup_latitude": 41.8809,
    "pickup_longitude": -87.6327,
    "trip_miles": 1.8,
    "trip_seconds": 600.0,
    "trip_start_day": 5,
    "trip_start_hour": 19,
    "trip_start_month": 6,
    "trip_start_timestamp": 1400269500,
}

GOLDEN_ROWS: list[dict[str, Any]] = [
    _TRIP,
    {**_TRIP, "payment_type": "Cash"},
    # A dropoff nobody recorded and no company: what a third of the rows look like.
    {
        **_TRIP,
        "company": None,
        "dropoff_latitude": None,
        "dropoff_longitude": None,
        "dropoff_community_area": None,
        "dropoff_census_tract": None,
    },
    # Words the vocabulary never saw.
    {**_TRIP, "payment_type": "Barter", "company": "Ünïcode & Sons \u2603"},
    # Values beyond any training row.
    {**_TRIP, "fare": 9000.0, "trip_miles": 4000.0, "trip_seconds": 86400.0, "trip_start_hour": 99, "pickup_community_area": 9999},
    # Nothing but zeros.
    {**_TRIP, "fare": 0.0, "trip_miles": 0.0, "trip_seconds": 0.0},
    # Every optional column missing.
    {name: (None if name not in {"fare", "trip_start_hour"} else value) for name, value in _TRIP.items()},
]

"""Cron expressions as the cluster reads them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from configs.errors import UsageError
from pipeline.kubeflow.cron import kfp_cron

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("cron", "six"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("*/20 * * * *", "0 0,20,40 * * * *"),
        ("30 6-8 * * *", "0 30 6,7,8 * * *"),
        ("0 3 * * 7", "0 0 3 * * 0"),
        ("0 3 * * 5-7", "0 0 3 * * 0,5,6"),
        ("0 3 * * MON-FRI", "0 0 3 * * 1,2,3,4,5"),
        ("0 3 1,15 JAN *", "0 0 3 1,15 1 *"),
        ("0 3 1 * MON", "0 0 3 1 * 1"),
    ],
)
def test_five_fields_become_six_with_the_same_meaning(cron, six):
    assert kfp_cron(cron, "UTC", "UTC", NOW) == six


@pytest.mark.parametrize("cron", ["0 3 * *", "0 0 3 * * *", "61 3 * * *", "0 3 31 2 *", "@daily", "0 3 * * L"])
def test_what_is_no_expression_is_refused(cron):
    with pytest.raises(UsageError, match="cron"):
        kfp_cron(cron, "UTC", "UTC", NOW)


@pytest.mark.parametrize("cron", ["0 3 */2 * MON", "0 3 1 * */2"])
def test_what_schedulers_read_differently_is_refused(cron):
    with pytest.raises(UsageError, match="mean different things"):
        kfp_cron(cron, "UTC", "UTC", NOW)


@pytest.mark.parametrize(
    ("cron", "zone", "cluster", "six"),
    [
        ("0 3 * * *", "Asia/Tokyo", "UTC", "0 0 18 * * *"),
        ("30 3 * * MON", "Asia/Tokyo", "UTC", "0 30 18 * * 0"),
        ("0 20 * * SUN", "America/Phoenix", "UTC", "0 0 3 * * 1"),
        ("30 10 1 * *", "Asia/Kolkata", "UTC", "0 0 5 1 * *"),
        ("0 9-11 * * *", "Asia/Tokyo", "UTC", "0 0 0,1,2 * * *"),
        ("*/30 * * * *", "Asia/Tokyo", "UTC", "0 0,30 * * * *"),
        ("0 3 * * *", "Europe/Berlin", "Europe/Berlin", "0 0 3 * * *"),
        ("0 3 * * *", "Europe/Berlin", "Europe/Paris", "0 0 3 * * *"),
        ("0 3 * * *", "Etc/UTC", "UTC", "0 0 3 * * *"),
    ],
)
def test_times_are_those_of_the_cluster(cron, zone, cluster, six):
    assert kfp_cron(cron, zone, cluster, NOW) == six


@pytest.mark.parametrize(
    ("cron", "zone", "why"),
    [
        ("0 3 * * *", "Europe/Berlin", "set differently in the course of a year"),
        ("0 3 1 * *", "Asia/Tokyo", "days begin at another time"),
        ("0 * * * MON", "Asia/Tokyo", "days begin at another time"),
        ("0,15 3 * * *", "Asia/Kolkata", None),
        ("0,45 3 * * *", "Asia/Kolkata", "no regular ones"),
    ],
)
def test_what_has_no_equal_in_the_clusters_zone_is_refused_with_the_way_out(cron, zone, why):
    if why is None:
        assert kfp_cron(cron, zone, "UTC", NOW) == "0 30,45 21 * * *"
        return
    with pytest.raises(UsageError, match=why) as caught:
        kfp_cron(cron, zone, "UTC", NOW)
    assert "--timezone UTC" in str(caught.value)


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(UsageError, match="Mars/Base"):
        kfp_cron("0 3 * * *", "Mars/Base", "UTC", NOW)

from __future__ import annotations

import pytest

from reconciler.model.runs import UnitStatus
from reconciler.providers.dataworks.statuses import status_of_dags, status_of_instances
from reconciler.providers.dataworks.vocabulary import InstanceStatus


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ("", "CREATED"),
        ("SUCCESS", "SUCCESS"),
        ("SUCCESS SUCCESS", "SUCCESS"),
        ("NOT_RUN", "CREATED"),
        ("NOT_RUN WAIT_TIME WAIT_TRIGGER", "CREATED"),
        ("WAIT_RESOURCE NOT_RUN", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("CHECKING SUCCESS", "RUNNING"),
        ("CHECKING_CONDITION", "RUNNING"),
        ("SUCCESS NOT_RUN", "RUNNING"),
        ("FAILURE", "FAILURE"),
        ("FAILURE SUCCESS", "FAILURE"),
        ("FAILURE NOT_RUN", "FAILURE"),
        ("FAILURE NOT_RUN SUCCESS", "FAILURE"),
        ("FAILURE RUNNING", "RUNNING"),
        ("FAILURE WAIT_RESOURCE", "RUNNING"),
        ("FAILURE WAIT_TIME", "RUNNING"),
        ("FAILURE CHECKING NOT_RUN", "RUNNING"),
    ],
)
def test_a_date_from_its_instances(statuses: str, status: str) -> None:
    members = [InstanceStatus[name] for name in statuses.split()]
    assert status_of_instances(members) is UnitStatus[status]


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ("CREATED", "CREATED"),
        ("SUCCESS SUCCESS", "SUCCESS"),
        ("SUCCESS RUNNING", "RUNNING"),
        ("SUCCESS CREATED", "RUNNING"),
        ("FAILURE CREATED", "RUNNING"),
        ("FAILURE SUCCESS", "FAILURE"),
    ],
)
def test_a_date_from_several_dags(statuses: str, status: str) -> None:
    assert status_of_dags([UnitStatus[name] for name in statuses.split()]) is UnitStatus[status]

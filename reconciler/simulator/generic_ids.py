"""The ids of OBShell's DAGs, nodes and sub-tasks: what they say, and which belong together.

The first digit says where a task lives: 1 in the cluster, 2 and 3 at one agent (IPv4, IPv6), 4 and 5
at the proxy of one agent; of the latter four the agent's address and five digits of its port follow.
The rest is the number of the task (OBShell server source 61ee147).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

_FORM = re.compile(
    r"(?P<prefix>1|[24](?P<ipv4>[0-9]{10})(?P<port4>[0-9]{5})"
    r"|[35](?P<ipv6>[0-9]{39})(?P<port6>[0-9]{5}))"
    r"(?P<number>[0-9]{1,24})"
)
_HIGHEST_PORT = 65535
_NODES = 100
"""How many numbers of nodes, and of sub-tasks, each DAG has to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent of the cluster."""

    ip: str
    port: int


HERE = Agent(ip="127.0.0.1", port=2886)
"""The agent that answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericId:
    """An id; `prefix` is everything before the number of the task."""

    prefix: str
    agent: Agent
    number: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.number}"

    @property
    def of_cluster(self) -> bool:
        """Whether the task is kept in the OceanBase database."""
        return self.prefix == "1"

    def node(self, index: int) -> GenericId:
        """The id of a DAG's node, and of its sub-task: the same text."""
        number = (self.number - 1) * _NODES + index + 1
        return GenericId(prefix=self.prefix, agent=self.agent, number=number)

    def as_node(self) -> tuple[GenericId, int]:
        """The DAG that a node's, or a sub-task's, id belongs to, and the index of the node."""
        dag, index = divmod(self.number - 1, _NODES)
        return GenericId(prefix=self.prefix, agent=self.agent, number=dag + 1), index


def parse_generic_id(text: str) -> GenericId | None:
    """Read an id; None when it is malformed."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    agent, port = HERE, match["port4"] or match["port6"]
    if port is not None:
        try:
            ip = (
                str(IPv4Address(int(match["ipv4"])))
                if match["ipv4"]
                else str(IPv6Address(int(match["ipv6"])))
            )
        except ValueError:
            return None
        agent = Agent(ip=ip, port=int(port))
    if agent.port > _HIGHEST_PORT:
        return None
    return GenericId(prefix=match["prefix"], agent=agent, number=int(match["number"]))

"""The simulator: a stateful stand-in for the orchestrators, which the vendors' own clients can drive.

Owns everything below its port: worlds (what exists), triggers and their course on a work clock, the
gateway that verifies signatures, faults, the ledger. Its wire format is written from the description of
the services and never shares code with `reconciler.providers`, so that a mistake cannot hide on both
sides. `docs/simulator.md` is its manual.

    world, world_file, checks        what exists: values, their file format, impossible worlds
    cluster, cluster_file            the same for the DAGs of OBShell; `generic_ids` are theirs
    runs, transitions                what was triggered, and the rules by which it moves (pure)
    clocks                           work clock and gateway clock
    database, records, logs, settings    one SQLite file that several processes may share
    session, services                one request in its transaction; who answers it
    dataworks/, obshell/, dataarts/  routes of each service; the last with a little of IAM
    faults, control                  accidents on purpose; the `/_simulator/` endpoints
    core                             the engine: a request in, a reply out
    transport, embedded              the engine behind an httpx transport, in one's own process
    server                           the engine on a port (the only module that imports uvicorn)

Where it is known or suspected to differ from the real DataWorks:

- Only the operations that are listed in `dataworks.service` exist; 2024-05-18 does not.
- Whether a backfill over several dates has one DAG for each date is not known of the service: hence
  the two layouts. Manual runs over a range always have one DAG.
- Instances are NOT_RUN, RUNNING, FAILURE or SUCCESS. Nothing waits for its time (a cycle time in the
  future runs at once, as with StartFutureInstanceImmediately), for resources, checks or branches.
- There are no DAILY instances: nothing runs unless a request asks for it.
- Hourly nodes never depend on their own previous hour, and there are no minutely, weekly or monthly ones.
- An excluded node waits for its parents as any other does, and then takes no time.
- A node orders others only if it is itself part of the run; order through nodes left out is lost.
- Every user may do everything: no roles, no editions, one account, one workspace id. `ProjectId` is
  required where the service requires it, and any value sees every run of the environment.
- A security token is accepted whatever it says, as long as it is signed. Keys cannot expire.
- `Forbidden.*`, `InternalError.*` and `ServiceUnavailable` only come from faults.
- Codes that nobody documents are guesses: `Invalid.Node.NotExists`, `Invalid.Dag.NotExists`,
  `Invalid.OpSeq.NotExists`, `Invalid.Instance.NotExists`; `InvalidParameter` for every malformed value;
  the two numeric codes for an unknown project or flow. A run past its retention is answered like one
  that never was.
- Stopping needs a running instance, marking as succeeded a failed one, restarting one that has ended;
  anything else is refused with `InvalidParameter`. The service's exact rules are not known.
- Duplicate names are allowed, as nothing says that the service forbids them.
- The gateway's checks come in this order: access key, timestamp format, signature, age, nonce, limits,
  API, parameters. A nonce is used up by any request with a right signature. The service's order, and how
  strictly its nodes share nonces, are not known.
- Throttling counts whole reads and writes over the last second; the service counts per API too.
- Lists in XML repeat the element of the list's own name. JSON has no fields beyond the known ones, and
  leaves moments out that have not come; the service may write null or 0.
- `NodeName` and `BizName` filters match exactly. `BizName` finds manual runs only, by their flow.
- Business dates begin at midnight in Asia/Shanghai, whatever the region.
- The log of an instance is one line for each begin and end, and never expires on its own.

Where it is known or suspected to differ from the real DataArts (`docs/simulator.md` says it in full):

- Only the operations in `dataarts.routes` exist; anything else is not published. Starting and stopping a
  schedule changes nothing.
- Scheduled runs follow from the world, never vanish, and can neither be stopped nor repeated.
- PatchData run at once, also periods in the future, whatever hours they are given; separate days are
  refused. What a failure leaves behind stays `waiting`.
- Nobody documents how a second PatchData of a job, a name that is free again, a wrong state, a wrong
  password or a failed PatchData look: these are guesses, and so is what the filters of listings match.
- Every project id and workspace is accepted and has runs of its own; a missing workspace is `default`.
- There is no nonce in SDK-HMAC-SHA256, no lock after failures, and no other algorithm.

Where it is known or suspected to differ from a real OBShell agent (server source 61ee147 (2026-05); what
the source does not tell us is a guess, and said to be one):

- Only the paths in `obshell.routes` exist: none that creates a DAG, no login, no single sign-on. DAGs
  come from the world, or begin when they are first asked for. Nodes have one sub-task each, DAGs no
  sub-DAGs.
- There is one agent, of identity CLUSTER AGENT, with an agent password that equals the cluster's. It
  answers for every agent, and never forwards. Its address is always 127.0.0.1:2886, wherever it is
  served.
- Version 1 of the header is refused as if it were none. The order of checks is a guess: key, path,
  password, time. So is that a header whose members are of a wrong type counts as not decrypted, and
  that an encrypted body that cannot be read is `Common.BindJsonFailed`.
- A header expires as `obshell.headers` says: as if made 60 s before, and aged by every advance since.
- Ids of nodes and sub-tasks follow from the DAG's; the server counts each kind up. An id with zeros
  before its number is the id without them.
- Every READY DAG waits for one tick, one second, exactly. A node takes as long to roll back as to run,
  and a rollback of ours never fails. A cancelled DAG ends one tick after it was picked up; what an
  operation does to the states of nodes is read from the source only for RETRY and PASS.
- RETRY of a DAG whose rollback failed runs it forward. CANCEL needs all nodes from the current one on
  to allow it. Nothing times out, and no update is lost to a race (`Gorm.NoRowAffected`).
- While the database is down, agents' DAGs are answered; lists that need the cluster's are
  `MySQL.Error`, the last maintenance is `Task.NotFound`. Passwords are still checked.
- Proxies' DAGs are listed with the agents'. `main_dags` is always empty. The last maintenance is the
  one that began last; several that began together are in the order of the world.
- The time stamp of an answer has nine digits of which three count; `duration` is 0. After a panic of
  the server (`show_details` that is none, or false for a node) the trace id and the time stamp are as
  ever.
- Members of log rows and git information, `state` and `startAt` (in nanoseconds), and `/time` as plain
  text are guesses. Messages are in English whatever `Accept-Language` says, and their wording is ours.
- Times of DAGs are the work clock's, to the millisecond, in +08:00.
"""

from reconciler.simulator.clocks import MANUAL, REAL, ClockSpec
from reconciler.simulator.embedded import Simulator, open_simulator
from reconciler.simulator.settings import AccessKey
from reconciler.simulator.world import World
from reconciler.simulator.world_file import load_world, parse_world, read_world

__all__ = [
    "MANUAL",
    "REAL",
    "AccessKey",
    "ClockSpec",
    "Simulator",
    "World",
    "load_world",
    "open_simulator",
    "parse_world",
    "read_world",
]

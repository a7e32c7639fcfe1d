"""Several processes in one: threads of which one runs at a time, on a clock that nobody waits for.

Who goes on at each step is drawn from a seed, so that the same seed gives the same history, down to the
order of two writes. Time passes only when everybody sleeps, or is told to.
"""

from __future__ import annotations

import asyncio
import contextvars
import enum
import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.virtual_loop import VirtualLoop

#: The process that runs at the moment, if any; its event loops run on the virtual clock.
CURRENT: contextvars.ContextVar[Player] = contextvars.ContextVar("player")

_BEGINNING = 1_717_243_200.0

#: How often somebody else goes on at a step where that is possible.
SWITCHES = 0.35


class _State(enum.Enum):
    READY = "ready"
    ASLEEP = "asleep"
    OVER = "over"


@dataclass(slots=True)
class Time:
    """The one clock of a history, in seconds since its beginning, and what is to happen by itself."""

    now: float = 0.0
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _made: int = 0

    def at(self, moment: float, happens: Callable[[], None]) -> None:
        """Have something happen at a moment that is still to come."""
        self._made += 1
        heapq.heappush(self._due, (moment, self._made, happens))

    def wall(self) -> float:
        """Seconds since 1970 UTC; every history begins on 2024-06-01 at noon."""
        return _BEGINNING + self.now

    def wall_millis(self) -> int:
        """The same in milliseconds."""
        return int(self.wall() * 1000)

    def pass_until(self, moment: float) -> None:
        """Let everything happen that is due until then."""
        while self._due and self._due[0][0] <= moment:
            due, _, happens = heapq.heappop(self._due)
            self.now = max(self.now, due)
            happens()
        self.now = max(self.now, moment)


class Player:
    """One process: a thread that runs while it has the baton."""

    def __init__(self, name: str, stage: Stage, act: Callable[[], None]) -> None:
        """Nothing runs before the stage says so."""
        self.name = name
        self.stage = stage
        self.state = _State.READY
        self.wakes = 0.0
        self.failure: BaseException | None = None
        self._act = act
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Somebody else may go on here."""
        if self.stage.somebody_else():
            self._hand_over(_State.READY)

    def sleep_until(self, moment: float) -> None:
        """Go on when that moment has come, and not before."""
        self.wakes = moment
        self._hand_over(_State.ASLEEP)

    def go_on(self) -> None:
        """Let it run to its next pause; called by the stage alone."""
        self.state = _State.READY
        self._go.release()
        self.stage.wait()

    def _hand_over(self, state: _State) -> None:
        self.state = state
        self.stage.signal()
        self._go.acquire()

    def _run(self) -> None:
        self._go.acquire()
        CURRENT.set(self)
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001 - told where the stage is watched
            self.failure = error
        self.state = _State.OVER
        self.stage.signal()


class Stage:
    """Where players take turns until all of them are done."""

    def __init__(self, time: Time, seed: int) -> None:
        """Draw every turn from a seed."""
        self.time = time
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._players: list[Player] = []
        self._back = threading.Semaphore(0)

    def enter(self, name: str, act: Callable[[], None]) -> None:
        """Add a player, who acts once `play` is called."""
        self._players.append(Player(name, self, act))

    def play(self) -> None:
        """Run everybody to their end.

        Raises:
            BaseException: What one of them ended with.
        """
        while waiting := [one for one in self._players if one.state is not _State.OVER]:
            ready = [one for one in waiting if self._may_go_on(one)]
            if ready:
                self._random.choice(ready).go_on()
            else:
                self.time.pass_until(min(one.wakes for one in waiting))
        for one in self._players:
            if one.failure is not None:
                raise one.failure

    def somebody_else(self) -> bool:
        """Whether another player shall go on now; drawn only where there is one."""
        going = [one for one in self._players if self._may_go_on(one)]
        return len(going) > 1 and self._random.random() < SWITCHES

    def signal(self) -> None:
        """Give the baton back."""
        self._back.release()

    def wait(self) -> None:
        """Wait for the baton."""
        self._back.acquire()

    def _may_go_on(self, player: Player) -> bool:
        if player.state is _State.ASLEEP:
            return player.wakes <= self.time.now
        return player.state is _State.READY


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The loop of the process that asks: a virtual one on the stage, a real one elsewhere."""
    player = CURRENT.get(None)
    if player is None:
        return asyncio.SelectorEventLoop()
    time = player.stage.time
    return VirtualLoop(
        now=lambda: time.now, wait=lambda seconds: player.sleep_until(time.now + seconds)
    )

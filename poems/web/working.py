"""What the app has under way in its threads, so that its end can wait for it."""

from __future__ import annotations

from threading import Condition
from types import TracebackType


class Working:
    """Counts whoever is inside."""

    def __init__(self) -> None:
        self.many, self._change = 0, Condition()

    def __enter__(self) -> None:
        with self._change:
            self.many += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with self._change:
            self.many -= 1
            self._change.notify_all()

    def is_over(self, seconds: float) -> bool:
        """Whether nobody is inside any more, after so many seconds at the most."""
        with self._change:
            return self._change.wait_for(lambda: not self.many, seconds)

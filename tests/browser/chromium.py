"""A real browser for tests: headless Chromium spoken to over its own debugging pipe, standard library only."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 30.0
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
)  # fmt: skip
# The browser reads commands from file descriptor 3 and answers on 4.
_SHELL = 'commands=$1 answers=$2; shift 2; exec "$@" 3<&"$commands" 4>&"$answers"'


def found() -> str | None:
    """Path of a Chromium on this machine, None without one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Seen(NamedTuple):
    """What a page did at one width: how wide it is, and the addresses that it asked for beyond itself."""

    inner_width: int
    scroll_width: int
    requests: list[str]


class Browser:
    """One page of a running browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._ids, self._rest = itertools.count(1), b""
        self.events: list[dict[str, Any]] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the page, and return its answer."""
        return self._send(method, self._session, **params)

    def look(self, path: Path, *, width: int, height: int = 844) -> Seen:
        """Open a file at a width, and say how wide it became and what it asked for."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.events.clear()
        address = path.resolve().as_uri()
        self.call("Page.navigate", url=address)
        self._wait_for("Page.loadEventFired")
        time.sleep(0.1)  # whatever a page asks for late is asked for now
        widths = "[window.innerWidth, document.documentElement.scrollWidth]"
        inner, scroll = self.call("Runtime.evaluate", expression=widths, returnByValue=True)["result"]["value"]
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return Seen(inner, scroll, [each for each in asked if each != address])

    def _wait_for(self, event: str) -> None:
        while all(each["method"] != event for each in self.events):
            self._note(self._read())

    def _send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._note(answer)

    def _note(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.events.append(message)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._answers, 1 << 16)
            assert more, "the browser has gone"
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(message))


@contextmanager
def browser(path: str, profile: Path) -> Iterator[Browser]:
    """Start a browser with an empty profile, and end it afterwards."""
    reads, commands = os.pipe()
    answers, writes = os.pipe()
    command = ["bash", "-c", _SHELL, "bash", str(reads), str(writes), path, *_FLAGS, f"--user-data-dir={profile}"]
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, pass_fds=(reads, writes), **silent)
    os.close(reads)
    os.close(writes)
    try:
        page = Browser(commands, answers)
        yield page
        with suppress(BrokenPipeError, AssertionError):
            page._send("Browser.close")
    finally:
        try:
            process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(commands)
        os.close(answers)

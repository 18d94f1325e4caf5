"""A Label Studio server, spoken to through Label Studio's own SDK; its errors in one line, never with the token."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from predarrow.errors import OutputError, PredarrowError

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"

R = TypeVar("R")

_PAUSES = (1.0, 3.0, 10.0)
"""Seconds before a request that did no harm is sent again"""
_LONGEST = 600
_TOKEN = re.compile(r"[!-~]+")
_SECRET = re.compile(r"(?<=\bBearer )[!-~]+|(?<=\bToken )[!-~]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*", re.IGNORECASE)
"""What else may be a token: that of a header, and JSON web tokens, which the SDK exchanges for others"""
_BUSY = (429,)
_FAILED = 500  # and above: the server's own failures, which tell nothing of what became of a request
_POLL = 0.5
_HINTS = {
    401: "is the token right? it stands under Account & Settings",
    403: "the token's user may not do that",
    404: "is there such a project, and is the url that of the server?",
    413: "the server takes less in a request: give a smaller batch_bytes (--batch-bytes)",
}


class ServerError(OutputError):
    """The server refused, failed, or cannot be reached."""

    def __init__(self, message: str, *, is_certain: bool) -> None:
        super().__init__(message)
        self.is_certain = is_certain
        """Whether nothing was changed by the request"""


class ServerProject(NamedTuple):
    """A project of the server."""

    id: int
    n_tasks: int
    config: str


class Taken(NamedTuple):
    """What the server says it took; None where it does not say."""

    tasks: int | None
    predictions: int | None


class Server:
    """A Label Studio server; its connections are closed at the end of a `with` block.

    Args:
        url: its address.
        token: of one of its users; None takes LABEL_STUDIO_API_KEY.
        timeout: seconds to wait for an answer.

    Raises:
        PredarrowError: an address or a token that is none, or label-studio-sdk is not installed.
        OutputError: the token is no longer valid.
    """

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        self.url = checked_url(url)
        self._timeout = timeout
        secret = _checked_token(token)
        self._clean: Callable[[object], str] = lambda text: _shown(text, secret)
        try:
            import httpx
            from label_studio_sdk import LabelStudio
            from label_studio_sdk.core.api_error import ApiError
            from label_studio_sdk.core.parse_error import ParsingError
        except ImportError:
            hint = "pip install 'predarrow[label-studio]'"
            raise PredarrowError(f"label-studio-sdk: must be installed to push, got none; {hint}") from None
        self._not_reached = httpx.ConnectError
        self._broken = (httpx.HTTPError, ParsingError)
        self._refused = ApiError
        make: Any = LabelStudio  # its arguments have no types
        with ExitStack() as opened:
            http = opened.enter_context(httpx.Client(timeout=timeout, follow_redirects=False))
            self._client = self._asked(
                lambda: make(base_url=self.url, api_key=secret, httpx_client=http, max_retries=0)
            )
            self._opened = opened.pop_all()

    def project(self, project_id: int) -> ServerProject:
        """Give a project as it is now."""
        found = self._asked(lambda: self._client.projects.get(id=project_id), is_harmless=True)
        return self._project(found)

    def new_project(self, title: str, config: str) -> ServerProject:
        """Make a project."""
        return self._project(self._asked(lambda: self._client.projects.create(title=title, label_config=config)))

    def send(self, project_id: int, tasks: Sequence[Any]) -> Taken:
        """Add tasks with their predictions to a project.

        Raises:
            ServerError: where it `is_certain`, nothing was added.
        """
        answer = self._asked(lambda: self._client.projects.import_tasks(id=project_id, request=tasks))
        return Taken(_count(answer, "task_count"), _count(answer, "prediction_count", "predictions_count"))

    def wait_for(self, project_id: int, n_tasks: int) -> bool:
        """Tell whether a project comes to have as many tasks in the time of one answer."""
        end = time.monotonic() + self._timeout
        pause = _POLL
        while self.project(project_id).n_tasks < n_tasks:
            if time.monotonic() + pause > end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 10.0)
        return True

    def __enter__(self) -> Server:
        """Give the server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        self._opened.close()

    def __repr__(self) -> str:
        """Name the server."""
        return f"<Server {self.url}>"

    def _project(self, found: Any) -> ServerProject:
        number, config = getattr(found, "id", None), getattr(found, "label_config", None)
        n_tasks = getattr(found, "task_number", None)
        if not isinstance(number, int) or not isinstance(config, str):
            rule = "must answer as Label Studio's API does"
            raise ServerError(f"{self.url}: {rule}, got no project with id and label_config", is_certain=False)
        return ServerProject(number, n_tasks if isinstance(n_tasks, int) else 0, config)

    def _asked(self, ask: Callable[[], R], *, is_harmless: bool = False) -> R:
        """Give an answer; ask again where nothing can have been changed and a while may help.

        Raises:
            ServerError: worded, without the token.
        """
        for pause in (*_PAUSES, None):
            try:
                return ask()
            except self._refused as error:
                status = error.status_code
                is_certain = is_harmless or (status is not None and status < _FAILED)
                may_help = status in _BUSY or (is_harmless and (status or 0) >= _FAILED)
                told = self._refusal(status, error)
            except self._broken as error:
                is_certain = is_harmless or isinstance(error, self._not_reached)
                may_help = is_certain
                told = f"cannot be reached: {self._clean(error) or type(error).__name__}"
            if pause is None or not may_help:
                break
            time.sleep(pause)
        raise ServerError(f"{self.url}: {told}", is_certain=is_certain) from None

    def _refusal(self, status: int | None, error: Any) -> str:
        hint = _HINTS.get(status or 0, "")
        if status is not None and 300 <= status < 400:
            place = (error.headers or {}).get("location", "another address")
            hint = f"it sends requests to {self._clean(place)}: give the url of that server"
        got = self._clean(_words(error.body)) or "no words"
        return f"refused with status {status}, got {got}" + (f"; {hint}" if hint else "")


def checked_url(url: Any) -> str:
    """Give a server's address without a slash at its end.

    Raises:
        PredarrowError: it is none, or has a name and password or more than a path.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        is_good = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_good, parts = False, None
    if parts is None or not is_good or parts.query or parts.fragment or parts.username is not None:
        got = "one with a user's name" if parts is not None and parts.username is not None else repr(url)
        raise PredarrowError(f'url: must be the address of a server, as "https://labels.example.com", got {got}')
    return str(url).rstrip("/")


def _checked_token(token: str | None) -> str:
    """Give the token, that of the environment where none is given; errors never have it."""
    found = os.environ.get(TOKEN_VARIABLE) if token is None else token
    if not found:
        hint = f"set {TOKEN_VARIABLE}, or give token"
        raise PredarrowError(f"token: must be that of a user of the server, got none; {hint}")
    if not isinstance(found, str) or not _TOKEN.fullmatch(found.strip()):
        raise PredarrowError("token: must be printable ASCII without spaces, got something else")
    return found.strip()


def _words(body: Any) -> Any:
    """Give what of an answer is said to people; an answer of another form as it is."""
    if not isinstance(body, dict) or "detail" not in body:
        return body
    errors = body.get("validation_errors")
    return f"{body['detail']}: {_listed(errors)}" if errors else body["detail"]


def _listed(errors: Any) -> str:
    if isinstance(errors, dict):
        return ", ".join(f"{name}: {_listed(each)}" for name, each in errors.items())
    return ", ".join(map(_listed, errors)) if isinstance(errors, list) else str(errors)


def _shown(told: object, secret: str) -> str:
    text = " ".join(str(told).split()).replace(secret, "***")
    text = _SECRET.sub("***", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _count(answer: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(answer, name, None)
        if isinstance(value, int):
            return value
    return None

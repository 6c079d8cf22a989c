"""The role of a request (owner, who started the app on this machine, or visitor), or its refusal.

Any site can make a browser send requests to this machine. So a request must name a host that this
page is served as (against DNS rebinding, where a site resolves its own name to this machine to read
the page) and must not come from another site's page (cross-site request forgery).
"""

from __future__ import annotations

import socket
import time
from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from clipdemo.page.settings import Settings

Role = Literal["owner", "visitor"]

# Headers that proxies add. Scripts can set some of them, but that only ever removes rights.
FORWARDED = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    "x-forwarded-port", "x-forwarded-server", "x-forwarded-prefix", "x-real-ip", "x-client-ip",
    "x-original-host", "true-client-ip", "cf-connecting-ip", "cf-ray", "fly-client-ip",
    "x-amzn-trace-id", "x-envoy-external-address", "x-request-start", "ngrok-trace-id",
    "tailscale-user-login", "x-ms-containerapp-name",
)  # fmt: skip
_FRAMES = ("iframe", "frame", "embed", "object")
GUESSES = 4  # passwords that a visitor may get wrong within `PAUSE`
PAUSE = 60.0  # seconds
TOO_MANY = "There were too many wrong passwords from your address: try again in a minute."


@dataclass(frozen=True)
class Access:
    """The rules of one page.

    Attributes:
        mode: `public` (everybody is a visitor), `private` (everybody is the owner) or `auto`
            (the owner connects from this machine, by its own name, not through a proxy).
        host: the address that the page listens at.
        guarded: whether visitors log in, so that another site could use their cookie.
        names: lower-case hosts the page is served as, besides loopback and plain addresses.
    """

    mode: Literal["public", "private", "auto"] = "auto"
    host: str = "127.0.0.1"
    guarded: bool = False
    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """The rules for these settings."""
        mode = "public" if settings.public else "private" if settings.private else "auto"
        own = socket.gethostname().lower()
        named = urlsplit(settings.root_path).hostname  # None for a path alone
        names = {settings.host.lower(), own, f"{own}.local", named}
        return cls(mode, settings.host, bool(settings.auth), frozenset(filter(None, names)))

    def role(self, request: HTTPConnection) -> Role:
        """The role of whoever sent the request.

        Raises:
            HTTPException: 403; the request names a host that is not this page's, or comes from the
                page of another site.
        """
        host = _host(request)
        if self.mode == "public":
            if self.guarded:
                self._check_site(request)
            return "visitor"
        if _is_loopback(self.host) and not self._is_served_as(host):
            raise HTTPException(
                403,
                f"This page is private and not served as {host or '(no name)'}: open it at "
                "http://127.0.0.1 with its port, or start it with --public to host it.",
            )
        self._check_site(request)
        if self.mode == "private":
            return "owner" if self._is_served_as(host) else "visitor"
        near = request.client is not None and _is_loopback(request.client.host)
        return "owner" if near and not is_forwarded(request) and _is_loopback(host) else "visitor"

    def _is_served_as(self, host: str) -> bool:
        """Whether the host is safe from DNS rebinding: an IP address, or a name that no other site
        can point here."""
        return _is_loopback(host) or _address(host) is not None or host in self.names

    def _check_site(self, request: HTTPConnection) -> None:
        """Raises HTTPException if another site's page sends the request or frames this page."""
        headers = request.headers
        same = all(self._is_own(origin, request) for origin in headers.getlist("origin"))
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            opened = headers.get("sec-fetch-mode") == "navigate"
            framed = headers.get("sec-fetch-dest") in _FRAMES
            same &= opened and not framed and request.scope["method"] in ("GET", "HEAD")
        if not same:
            raise HTTPException(
                403,
                "This request came from another site's page and was refused: use this page "
                "directly, and if it is behind a proxy, have the proxy pass on the Host header.",
            )

    def _is_own(self, origin: str, request: HTTPConnection) -> bool:
        """Whether an origin is the host that the request names."""
        scheme, _, rest = origin.partition("://")
        name, port = _place(rest)
        if not name:
            return False
        default = {"http": 80, "https": 443}.get(scheme)
        any_port = is_forwarded(request)  # some proxies pass on the host without its port
        return any(
            name == own and (any_port or (port or default) == (own_port or default))
            for own, own_port in map(_place, self._named(request))
        )

    def _named(self, request: HTTPConnection) -> list[str]:
        """The hosts that a request names: its Host, and in mode `auto` its X-Forwarded-Host.

        Another site's page may be able to set the latter. In mode `auto` that gains no rights.
        """
        headers = request.headers
        forwarded = headers.get("x-forwarded-host", "").split(",")[0].strip()
        trusted = self.mode == "auto" and forwarded
        return [*headers.getlist("host"), *([forwarded] if trusted else [])]


class Guesses:
    """The latest tries to log in, of which a visitor has so few that nobody guesses a password.

    Each is counted before it is answered, as a visitor can send many at once.
    """

    def __init__(self) -> None:
        self._tries: deque[tuple[float, str]] = deque(maxlen=10_000)

    def add(self, visitor: str) -> None:
        """Count a try; raises HTTPException if there were too many, and this one must wait."""
        while self._tries and self._tries[0][0] < time.monotonic() - PAUSE:
            self._tries.popleft()
        if sum(other == visitor for _, other in self._tries) >= GUESSES:
            raise HTTPException(429, TOO_MANY)
        self._tries.append((time.monotonic(), visitor))

    def forget(self, visitor: str) -> None:
        """The visitor knows the password."""
        kept = [(at, other) for at, other in self._tries if other != visitor]
        self._tries = deque(kept, self._tries.maxlen)


def visitor_of(request: HTTPConnection) -> str:
    """The address by which a visitor's share is counted; of IPv6 the network, which one owns whole.

    If a proxy forwards the request that uvicorn trusts, this is the address that the proxy gives.
    """
    host = request.client.host if request.client else ""
    address = _address(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return host


def is_forwarded(request: HTTPConnection) -> bool:
    """Whether a proxy forwarded the request, as far as can be detected.

    A proxy that adds no header is detected only if it speaks HTTP/1.0, as nginx does by default
    before 1.29.7. Behind any other such proxy, the page must be started with --public.
    """
    old = request.scope.get("http_version") == "1.0"
    return old or any(name in request.headers for name in FORWARDED)


def _host(request: HTTPConnection) -> str:
    """The name in the Host header; empty if there is none, or several."""
    hosts = request.headers.getlist("host")
    return _place(hosts[0])[0] if len(hosts) == 1 else ""


def _place(netloc: str) -> tuple[str, int | None]:
    """Lower-case host and port of `host:port`; an empty host for anything else."""
    try:
        found = urlsplit(f"//{netloc}")
        plain = not (found.path or found.query or found.fragment or "@" in netloc)
        return ((found.hostname or "").rstrip(".") if plain else ""), found.port
    except ValueError:
        return "", None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback

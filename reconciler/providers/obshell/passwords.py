"""The passwords of a connection: revealed to sign, and kept out of everything that is shown."""

from __future__ import annotations

from reconciler.model.errors import Unauthenticated
from reconciler.model.project import OBShellConnection
from reconciler.providers.obshell.failures import PROVIDER
from reconciler.providers.obshell.signing import AGENT_HEADER
from reconciler.providers.redacting import redacted, redacted_text


class Passwords:
    """That of the cluster, and that of the agent where the connection has one."""

    def __init__(self, connection: OBShellConnection) -> None:
        """Reveal nothing yet."""
        self.connection = connection.name
        self._cluster = connection.password
        self._agent = connection.agent_password

    @property
    def has_agent(self) -> bool:
        """Whether the connection has a password of the agent."""
        return self._agent is not None

    def for_header(self, name: str) -> str:
        """The password that belongs into an auth header.

        Raises:
            Unauthenticated: Its environment variable holds nothing.
        """
        of_agent = name == AGENT_HEADER and self._agent is not None
        secret = self._agent if of_agent and self._agent is not None else self._cluster
        try:
            return secret.reveal()
        except LookupError as error:
            which = "agentPassword" if of_agent else "password"
            raise Unauthenticated(
                f"connection {self.connection} has no {which}: {error}",
                provider=PROVIDER,
                operation="sign",
                hint="set that environment variable, or change the connection in reconciler.yaml",
            ) from None

    def masked(self, text: str) -> str:
        """`text` without the passwords."""
        return redacted_text(text, self._texts())

    def stand_in(self, body: bytes) -> bool:
        """Whether a body holds one of the passwords, in whatever form."""
        return redacted(body, self._texts()) != body

    def _texts(self) -> list[str]:
        known = (self._cluster, self._agent)
        return [secret.reveal() for secret in known if secret is not None and secret.unset is None]

"""The credentials of a connection; what is secret stays in `Secret`."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.documents import MapNode, Node
from reconciler.documents.source import Source
from reconciler.model.diagnostics import Place
from reconciler.model.project import (
    Credentials,
    DataArtsCredentials,
    DefaultCredentials,
    EnvCredentials,
    PasswordCredentials,
    ProfileCredentials,
    Secret,
    StaticCredentials,
    UnsetVariable,
)
from reconciler.specs.fields import optional_mapping, scalar, text, value_text


class Secrets:
    """Reads secret fields of one file, some of which lack their variable."""

    def __init__(self, unset: Mapping[Place, UnsetVariable], source: Source) -> None:
        """Know the variables that fields lack, by the place of the field."""
        self._unset = unset
        self._source = source

    def required(self, node: MapNode, key: str) -> Secret:
        """The secret at `key`, which must be there."""
        return self._of(node.get(key))

    def optional(self, node: MapNode, key: str) -> Secret | None:
        """The secret at `key`, or None."""
        found = node.get(key)
        return None if found is None else self._of(found)

    def _of(self, node: Node | None) -> Secret:
        found = scalar(node)
        variable = self._unset.get(self._source.place(found))
        return Secret(value_text(found)) if variable is None else Secret.missing(variable)


def parse_credentials(connection: MapNode, secrets: Secrets) -> Credentials:
    """The credentials of a DataWorks connection."""
    node = optional_mapping(connection, "credentials")
    if node is None:
        return DefaultCredentials()
    match text(node, "source"):
        case "env":
            return EnvCredentials()
        case "profile":
            return ProfileCredentials(text(node, "name"))
        case "static":
            return _static(node, secrets)
        case _:
            return DefaultCredentials()


def parse_dataarts_credentials(connection: MapNode, secrets: Secrets) -> DataArtsCredentials:
    """The credentials of a DataArts connection."""
    node = optional_mapping(connection, "credentials")
    if node is None:
        return EnvCredentials()
    match text(node, "source"):
        case "static":
            return _static(node, secrets)
        case "password":
            return PasswordCredentials(
                user=text(node, "user"),
                domain=text(node, "domain"),
                password=secrets.required(node, "password"),
            )
        case "default":
            return DefaultCredentials()
        case _:
            return EnvCredentials()


def _static(node: MapNode, secrets: Secrets) -> StaticCredentials:
    return StaticCredentials(
        access_key_id=secrets.required(node, "accessKeyId"),
        access_key_secret=secrets.required(node, "accessKeySecret"),
        security_token=secrets.optional(node, "securityToken"),
    )

"""The supervisor: starts a gateway's processes, watches them, and stops them together."""

from farthing.supervisor.gateway import Gateway, GatewayOptions

__all__ = ["Gateway", "GatewayOptions"]

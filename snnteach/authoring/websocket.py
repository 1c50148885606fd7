"""Pictures without delay: the server's connection to the browser with Nagle's algorithm switched off."""
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A kernel's connection that sends every message at once.

    Otherwise TCP holds back a small message until the one before is acknowledged, which browsers put off for up to 40 ms.
    """

    def connect(self):
        """Connect, without delay."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()

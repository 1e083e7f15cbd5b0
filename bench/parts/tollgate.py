"""Tollgate with its whole chain; filled in by the admin API."""

from .process import Server


class Tollgate(Server):
    """Placeholder until the admin API is known."""

    name = "tollgate"

    def __init__(self, directory, upstream, threads, binary):
        self.binary = binary

    def start(self):
        pass

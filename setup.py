"""Set up from a checkout: there `from flows.cv import cross_validate` holds as well."""

from setuptools import setup
from setuptools.command.editable_wheel import editable_wheel


class Checkout(editable_wheel):
    """An editable install, which alone finds `flows` under its short name."""

    def run(self) -> None:
        """Install; a wheel would put a `flows` of ours before one of the user's."""
        self.distribution.packages = [*(self.distribution.packages or []), "flows"]
        super().run()


setup(cmdclass={"editable_wheel": Checkout})

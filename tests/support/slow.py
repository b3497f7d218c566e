"""The source of a builder whose fits take their time."""

SLOW = (
    "import time\n\nfrom sklearn.linear_model import LogisticRegression\n\n\n"
    "class Slow(LogisticRegression):\n"
    "    def fit(self, *arguments, **options):\n"
    "        time.sleep(3)\n"
    "        return super().fit(*arguments, **options)\n\n\n"
    "def build():\n    return Slow(max_iter=1000)\n"
)

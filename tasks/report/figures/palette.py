"""The colours of figures: in a page they are variables, which its dark scheme sets anew."""

INK, QUIET, GRID, PAPER = "#1c2733", "#56636f", "#dde3ea", "#fefefe"
BLUE, ORANGE, GREEN, PURPLE, RED = "#2b6cb0", "#b7500f", "#2a7a4b", "#6b46c1", "#b83280"
VARIABLES = {
    INK: "ink",
    QUIET: "quiet",
    GRID: "line",
    PAPER: "paper",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PURPLE: "purple",
    RED: "red",
}
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED)  # of a figure with several lines, in this order
STYLES = ("-", "--", ":", "-.")  # of lines beyond those: colours alone do not tell them apart


def series(index: int) -> tuple[str, str]:
    """Return colour and line style of a figure's line, from 0."""
    return SERIES[index % len(SERIES)], STYLES[index // len(SERIES) % len(STYLES)]

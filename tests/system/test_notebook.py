"""A notebook: a bar in one output, no red lines, a result that shows itself and can be proved."""

import pytest

CELLS = (
    "import numpy as np\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "import foldproof\n"
    "rng = np.random.default_rng(0)\n"
    "X = rng.normal(size=(60, 4))\n"
    "y = np.where(X[:, 0] + rng.normal(size=60) > 0, 'yes', 'no')\n"
    "def build():\n"
    "    return LogisticRegression(C=0.5)\n",
    "result = foldproof.cross_validate(build, X, y, cv=3)",
    "result",
    "print(result.verify(folds=1))",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, prefect_api):
    """What each cell showed in a real kernel."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", prefect_api)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=300, resources=resources).execute()
    return [cell.outputs for cell in notebook.cells]


def test_progress_is_a_bar_in_one_output_and_not_red_lines(outputs):
    (shown,) = outputs[1]
    assert shown.output_type == "display_data"
    markup = shown.data["text/html"]
    assert 'role="progressbar"' in markup
    assert "width:100%" in markup
    assert "100 %, 3 of 3 folds" in markup
    assert "60 rows, 4 features" in markup


def test_a_result_shows_itself(outputs):
    (shown,) = outputs[2]
    assert "<table>" in shown.data["text/html"]
    assert "roc_auc" in shown.data["text/html"]
    assert shown.data["text/plain"].startswith("<Result ")


def test_a_builder_of_a_notebook_is_proved_there(outputs):
    printed = "".join(output.text for output in outputs[3] if output.get("name") == "stdout")
    assert printed.splitlines()[-2:] == ["identical", "True"]
    assert not [output for output in outputs[3] if output.get("name") == "stderr"]

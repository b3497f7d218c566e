"""What identifies a model: sources, imports and versions, found without running any of it."""

from importlib import metadata

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.model_identity import identify_model
from tests.support.reports import CLASSIFIER


def test_an_own_scalers_source_is_part_of_the_keys(project):
    project("my_scaler", "class Mine: ...\n")
    model, train = ModelSpec(**CLASSIFIER), TrainSpec(scaler="my_scaler:Mine")
    before = identify_model(model, train).described
    assert "my_scaler" in before["sources"]
    project("my_scaler", "class Mine: x = 1\n")
    assert identify_model(model, train).described != before


@pytest.mark.parametrize(
    ("builder", "needed"),
    [
        ("tasks.models:mlp", True),
        ("sklearn.linear_model:Ridge", False),
        ("my_model:build", False),
        ("my_keras:build", True),
    ],
)
def test_tensorflow_is_loaded_only_for_what_may_use_it(project, builder, needed):
    project("my_keras", "def build():\n    import keras\n")
    assert identify_model(ModelSpec(builder=builder), TrainSpec()).needs_tensorflow is needed


def test_imports_inside_a_notebooks_function_are_traced(project):
    def with_keras():
        import keras
        import my_parts

        return keras, my_parts

    def with_scikit_learn():
        from sklearn.svm import SVC

        return SVC(probability=True)

    found = identify_model(ModelSpec.model_validate(with_keras), TrainSpec())
    assert found.needs_tensorflow
    assert found.described["distributions"] == {"keras": metadata.version("keras")}
    assert set(found.described["sources"]) == {"my_parts"}
    light = identify_model(ModelSpec.model_validate(with_scikit_learn), TrainSpec())
    assert not light.needs_tensorflow


def test_a_missing_builder_module_is_refused(project):
    with pytest.raises(InputError, match=r"^model\.builder: no module 'nowhere'"):
        identify_model(ModelSpec(builder="nowhere:build"), TrainSpec())

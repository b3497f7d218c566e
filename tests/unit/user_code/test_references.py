"""A slip in `module:name` is met with what to type, for builders, splitters and scalers."""

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.model_identity import identify_model
from foldproof.tasks.user_code.named_parts import import_named
from foldproof.tasks.user_code.references import library_modules


@pytest.fixture
def project(here):
    """A working directory with modules in it, below it and above it."""
    (here / "nets.py").write_text("def build(): ...\n\nclass Mine: ...\n")
    (here / "several.py").write_text("def one(): ...\n\ndef two(): ...\n")
    (here / "lib" / "deep").mkdir(parents=True)
    (here / "lib" / "below.py").write_text("def make(): ...\n")
    (here / "lib" / "deep" / "deeper.py").write_text("def make(): ...\n")
    (here / "my-code").mkdir()
    (here / "my-code" / "beside.py").write_text("def make(): ...\n")
    (here.parent / "above.py").write_text("def make(): ...\n")
    return here


def said(section, field, value):
    def look():
        study = parse_study({section: {field: value}})
        identify_model(study.model, study.train)

    with pytest.raises(InputError) as caught:
        look()
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("nets.py:build", "nets:build"),
        ("./nets:build", "nets:build"),
        ("./nets.py:build", "nets:build"),
        (".\\nets.py:build", "nets:build"),
        ("nets/build.py:build", "nets.build:build"),
        ("nets.build", "nets:build"),
        ("nets.build()", "nets:build"),
        ("nets", "both, as in nets:build"),
        ("nets:", "nets:build"),
        ("nets.py", "nets:build"),
        ("nets::build", "nets:build"),
        ("nets: build", "nets:build"),
        ("nets:build()", "nets:build"),
        ("several", "both, as in several:function"),
        ("lib.below", "both, as in lib.below:make"),
        ("lib/below.py", "lib.below:make"),
        (":build", "module:build"),
        ("../above.py:make", "above:make"),
        ("/somewhere/else/nets.py:build", "nets:build"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_builder_that_is_no_reference(given, meant):
    line = f"model.builder: {given!r} is not module:function; write {meant}"
    assert said("model", "builder", given) == line


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("section", "field"), [("split", "method"), ("train", "scaler")])
@pytest.mark.parametrize("given", ["nets.py:Mine", "./nets:Mine", "nets.Mine", "nets:Mine()"])
def test_a_splitter_or_scaler_that_is_no_reference(section, field, given):
    line = f"{section}.{field}: {given!r} is not module:Class; write nets:Mine"
    assert said(section, field, given) == line


def test_an_absolute_path_below_the_working_directory(project):
    path = f"{project}/lib/below.py:make"
    assert said("model", "builder", path).endswith("is not module:function; write lib.below:make")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("module", "where"),
    [
        ("below", "there is one in 'lib'; write lib.below instead"),
        ("deeper", "there is one in 'deep'; write lib.deep.deeper instead"),
        ("beside", "there is one in 'my-code'; run in that folder"),
        ("above", "there is one in the folder above; run there"),
        ("nowhere", "it is looked for from the working directory"),
    ],
)
def test_a_module_that_lies_in_another_folder(module, where):
    line = f"no module {module!r}; {where}"
    assert said("model", "builder", f"{module}:make") == f"model.builder: {line}"
    assert said("train", "scaler", f"{module}:Make") == f"train.scaler: {line}"
    with pytest.raises(InputError) as caught:
        import_named("split.method", f"{module}:Make")
    assert str(caught.value).endswith(f"; {where}")


@pytest.mark.usefixtures("project")
def test_what_was_a_reference_stays_one():
    for builder in ("nets:build", "tasks.models:mlp", "sklearn.svm:SVC", "my-code:Class.method"):
        assert parse_study({"model": {"builder": builder}}).model.builder == builder

    def inner(): ...

    assert "@" in parse_study({"model": inner}).model.builder


@pytest.mark.parametrize(
    ("builder", "sources", "modules"),
    [
        ("sklearn.linear_model:LogisticRegression", (), ("sklearn.linear_model",)),
        ("sklearn.linear_model:LogisticRegression", ("sklearn.linear_model",), ()),
        ("nets:build", ("nets",), ()),
        ("build", (), ()),
    ],
)
def test_only_what_is_an_installed_librarys_is_loaded_beforehand(builder, sources, modules):
    assert library_modules(builder, sources) == modules

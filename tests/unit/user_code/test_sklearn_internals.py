"""What is used of scikit-learn beyond its documented API is still there."""

from sklearn.metrics import f1_score, make_scorer

from foldproof.tasks.user_code import sklearn_internals as internals
from tests.support.contracts import demand, missing


def test_a_scorer_knows_its_function():
    gone = missing(make_scorer(f1_score), "_score_func")
    demand("scikit-learn", internals.READ_FROM, gone, internals.__name__)
    assert internals.scored_function(make_scorer(f1_score)) is f1_score


def test_a_function_is_no_scorer():
    assert internals.scored_function(f1_score) is None

from foldproof.tasks.machine.worker_environment import (
    REMOVED_VARIABLES,
    THREAD_VARIABLES,
    worker_variables,
)


def test_a_worker_gets_its_threads_and_an_empty_keras_home(tmp_path):
    found = worker_variables(3, tmp_path)
    assert {found[name] for name in THREAD_VARIABLES} == {"3"}
    assert found["KERAS_HOME"] == str(tmp_path)
    assert found["KERAS_BACKEND"] == "tensorflow"
    assert all(isinstance(value, str) for value in found.values())


def test_a_worker_numbers_gpus_as_the_listing_does(tmp_path):
    assert worker_variables(1, tmp_path)["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_nothing_is_both_set_and_taken_away(tmp_path):
    assert not worker_variables(1, tmp_path).keys() & set(REMOVED_VARIABLES)

"""Which nodes may take part, and what numerics a run on them has; no cluster needed."""

import copy
import threading
from pathlib import Path

import pytest

from foldproof.tasks.clusters import node_agent, node_registry
from foldproof.tasks.clusters.admission import AdmissionPolicy, common_numerics, rejection_reason
from foldproof.tasks.clusters.connect import connect
from foldproof.tasks.clusters.messages import Answer, DataReference, JoinRequest, NodeInfo
from foldproof.tasks.clusters.node_code import code_here
from foldproof.tasks.clusters.node_registry import NodeRegistry, NodeSlot
from foldproof.tasks.common.errors import Disconnected, InputError, Interrupted, NodeLost
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.machine.numerics import Numerics
from tests.support.processes import join_all, wait_for

OWN = Numerics(1, "cpu")
CODE = {"my_model": "abc", "foldproof tasks/run/session.py": "def"}


def other(**changes):
    """Return this machine's fingerprint with changes."""
    return copy.deepcopy(OWN.fingerprint()) | changes


def request(**compute):
    spec = ComputeSpec(engine="dask", **compute)
    folder = Path.cwd()
    return JoinRequest("run", spec, ModelSpec(), TrainSpec(), "auto", (), (), folder, False, 60)


def policy(fingerprints=(OWN.fingerprint(),), **compute):
    return AdmissionPolicy(request(**compute), tuple(fingerprints), CODE)


def passport(fingerprint=None, code=CODE, devices=("cpu:0",), problem=""):
    return NodeInfo("host", devices, fingerprint or OWN.fingerprint(), code, problem)


def test_a_node_like_this_machine_is_welcome():
    assert rejection_reason(passport(), policy()) == ""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"threads": 2}, "threads: 1 here, 2 there"),
        ({"device": "gpu"}, "device: cpu here, gpu there"),
        ({"environment": {"XLA_FLAGS": "x"}}, "environment.XLA_FLAGS: None here, x there"),
    ],
    ids=["threads", "device", "environment"],
)
def test_other_numerics_are_named(given, named):
    line = rejection_reason(passport(other(**given)), policy())
    assert line.startswith(f"compute.mixed: its numerics differ in {named}; ")
    assert "compute.mixed: true" in line
    assert rejection_reason(passport(other(**given)), policy(fingerprints=())) == ""


def test_of_lists_only_the_differences_are_named():
    there = other(processor={**OWN.fingerprint()["processor"], "flags": ["own_flag"]})
    assert "own_flag there" in rejection_reason(passport(there), policy())


def test_other_code_is_named_by_module():
    line = rejection_reason(passport(code=CODE | {"my_model": "xyz"}), policy())
    assert line.startswith("model.builder: has other code (my_model); ")


def test_a_nodes_own_problem_comes_first():
    assert (
        rejection_reason(passport(problem="compute.device: no GPU"), policy())
        == "compute.device: no GPU"
    )


def test_equal_nodes_have_this_machines_numerics_and_so_its_keys():
    assert common_numerics(OWN, [passport(), passport()]) is OWN


def test_nodes_of_one_other_kind_have_their_own_numerics():
    found = common_numerics(OWN, [passport(other(threads=2))] * 2)
    assert found.fingerprint() == other(threads=2)
    assert found.digest() == Numerics(2, "cpu").digest()
    assert found.warnings() == OWN.warnings() == ()


def test_nodes_of_two_kinds_are_marked_in_the_key_whatever_their_order():
    pair = [passport(), passport(other(threads=2))]
    found = common_numerics(OWN, pair)
    assert found == common_numerics(OWN, pair[::-1])
    digests = {found.digest(), OWN.digest(), Numerics(2, "cpu").digest()}
    assert len(digests) == 3
    assert "machines of 2 kinds" in found.warnings()[0]


def test_code_here_covers_the_builder_and_foldproof(tmp_path):
    (tmp_path / "mine.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("x = 1\n")
    spec = ModelSpec(builder="mine:build")
    before = code_here(spec, TrainSpec(), "auto", (), (str(tmp_path),))
    assert {"mine", "helper", "foldproof tasks/training/fold.py"} <= before.keys()
    (tmp_path / "helper.py").write_text("x = 2\n")
    after = code_here(spec, TrainSpec(), "auto", (), (str(tmp_path),))
    assert {name for name in before if before[name] != after[name]} == {"helper"}


@pytest.mark.parametrize("address", ["host", "host:", "http://host:80", ":8786", "host:x"])
def test_an_address_is_host_and_port(address, monkeypatch):
    monkeypatch.setattr("foldproof.tasks.common.extras.find_spec", lambda name: True)
    with pytest.raises(InputError, match=r"^compute\.address: .* is not host:port; write both$"):
        connect(ComputeSpec(engine="dask", address=address))


class Listed:
    """A cluster that is a list of nodes: each joins at once, with what it offers."""

    def __init__(self, **offers):
        self.offers, self.there, self.told = offers, True, []

    def nodes(self):
        if not self.there:
            raise Disconnected("gone")
        return dict(self.offers)

    def call(self, node, function, *arguments, fold, waiting):
        waiting()
        count = arguments[0].compute.workers
        return passport(devices=tuple(f"cpu:{i}" for i in range(count)))

    def broadcast(self, nodes, function, *arguments):
        self.told += [(node, function.__name__) for node in nodes]

    def reconnect(self):
        self.nodes()

    def close(self):
        self.there = False


def registry(most=None, **offers):
    return NodeRegistry(Listed(**offers), policy(), most, lambda line: None)


def shares(made):
    made.wait_for_nodes()
    return {name: len(one.devices) for name, one in made.nodes.items()}


def test_places_are_shared_out_in_turn():
    assert shares(registry(a=2, b=3)) == {"a": 2, "b": 3}
    assert shares(registry(most=3, a=2, b=3)) == {"a": 2, "b": 1}
    assert shares(registry(most=1, a=2, b=3)) == {"a": 1}
    assert shares(registry(most=9, a=2, b=3)) == {"a": 2, "b": 3}


def test_a_place_of_a_lost_node_is_gone_and_a_new_node_brings_others():
    made = registry(a=1, b=1)
    made.wait_for_nodes()
    first, second = made.acquire(None), made.acquire(None)
    made.remove(second.node)
    made.release(second)
    made.release(first)
    assert made.acquire(second) == first
    made.cluster.offers = {first.node: 1, "c": 2}
    look(made)
    assert {made.acquire(None), made.acquire(None)} == {NodeSlot("c", 0), NodeSlot("c", 1)}


def look(made):
    """Let the registry look at the cluster, and wait for the nodes that it finds."""
    made._update_nodes()
    wait_for(lambda: not made._joining)


def test_a_place_from_before_a_node_joined_anew_is_not_given_out_twice():
    made = registry(a=1)
    made.wait_for_nodes()
    before = made.acquire(None)
    made.remove("a")
    look(made)
    made.release(before)
    assert made.acquire(before) == NodeSlot("a", 0, 2)
    assert made._free == []
    with pytest.raises(NodeLost):
        made.call(before, print)


class Slow(Listed):
    """A cluster of which one node takes its time to join, and one answers with nonsense."""

    def __init__(self, **offers):
        super().__init__(**offers)
        self.goes_on = threading.Event()

    def call(self, node, function, *arguments, fold, waiting):
        if node == "slow":
            self.goes_on.wait(60)
        if node == "odd":
            raise TypeError("unexpected keyword")
        return super().call(node, function, *arguments, fold=fold, waiting=waiting)


def test_a_slow_node_keeps_no_other_from_work_and_heartbeats_go_on(monkeypatch):
    monkeypatch.setattr(node_registry, "LATE_NODE_S", 0.1)
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL_S", 0.05)
    said: list[str] = []
    cluster = Slow(slow=1, odd=1, quick=1)
    made = NodeRegistry(cluster, policy(), None, said.append)
    made.wait_for_nodes()
    assert list(made.nodes) == ["quick"]
    assert said == [
        "node odd is refused: cannot join (TypeError: unexpected keyword); "
        "install the same version there"
    ]
    wait_for(lambda: ("quick", "heartbeat") in cluster.told)
    grown: list[int] = []
    made.on_more_slots = grown.append
    cluster.goes_on.set()
    wait_for(lambda: grown == [2])
    assert {made.acquire(None).node, made.acquire(None).node} == {"quick", "slow"}
    made.stop()


class SlowReader(Slow):
    """A cluster of which one node takes its time to get the data, and one cannot get them."""

    def call(self, node, function, *arguments, fold, waiting):
        if function is node_agent.receive_data:
            if node == "odd":
                raise TypeError("unexpected keyword")
            if node == "slow":
                self.goes_on.wait(60)
            return Answer()
        return Listed.call(self, node, function, *arguments, fold=fold, waiting=waiting)


def reference():
    mark = Path.cwd() / "mark"
    return DataReference(mark, "", DataSpec(), None, SplitSpec(), 0, "", "", None)


def test_a_node_that_reads_slowly_keeps_no_other_from_work_and_trains_once_it_has_the_data(
    monkeypatch,
):
    monkeypatch.setattr(node_registry, "LATE_NODE_S", 0.1)
    said: list[str] = []
    cluster = SlowReader(slow=1, odd=1, quick=1)
    made = NodeRegistry(cluster, policy(), None, said.append)
    made.wait_for_nodes()
    made.distribute_data(reference())
    wait_for(lambda: said)
    assert said == [
        "node odd is refused: cannot get the data (TypeError: unexpected keyword); "
        "install the same version there"
    ]
    assert made.acquire(None).node == "quick"
    assert made._ready() == []
    cluster.goes_on.set()
    assert made.acquire(None).node == "slow"
    made.stop()


def test_an_odd_answer_of_the_cluster_is_said_once_and_not_the_end(monkeypatch):
    said: list[str] = []
    made = NodeRegistry(Listed(a=1), policy(), None, said.append)
    made.wait_for_nodes()
    monkeypatch.setattr(made.cluster, "nodes", lambda: {"a": 1}["nothing"])
    for _ in range(3):
        made._look_after()
    assert said == ["the cluster answers oddly: KeyError: 'nothing'"]
    monkeypatch.undo()
    made._look_after()
    assert list(made.nodes) == ["a"]


def test_later_nodes_fill_up_what_is_wanted_and_no_more():
    made = registry(most=2, a=1)
    made.wait_for_nodes()
    made.cluster.offers = {"a": 1, "b": 4, "c": 1}
    look(made)
    assert shares_now(made) == {"a": 1, "b": 1}


def shares_now(made):
    return {name: len(one.devices) for name, one in made.nodes.items()}


def test_a_call_to_a_node_that_is_struck_off_ends():
    made = registry(a=1)
    made.wait_for_nodes()
    made.remove("a")
    with pytest.raises(NodeLost):
        made._cancel_if_gone("a", 1)()


def test_waiting_for_a_place_ends_with_the_run():
    made = registry(a=1)
    made.wait_for_nodes()
    made.acquire(None)
    ended = []

    def wait():
        with pytest.raises(Interrupted):
            made.acquire(None)
        ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    made.stop()
    join_all([thread])
    assert ended
    assert made.cluster.told == [("a", "leave")]

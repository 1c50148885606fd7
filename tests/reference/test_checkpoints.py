"""A run that stops anywhere goes on as if it had not; what is left out shows; and a file is whole or the old one."""
import os

import pytest
import torch
from torch import nn

from snnteach import checkpoints
from snnteach.checkpoints import Training, go_on, pack, read_whole, unpack, write_whole

SAMPLES, BATCH = 10, 4


def start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    return Training(net, optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=30),
               torch.Generator().manual_seed(0))


def train(run, until, **options):
    inputs = torch.randn(SAMPLES, 3, generator=torch.Generator().manual_seed(1))

    def loss(batch, generator):
        noisy = inputs[batch] + 0.3 * torch.randn(len(batch), 3, generator=generator)
        return nn.functional.cross_entropy(run.net(noisy), batch % 2)

    return go_on(run, loss, SAMPLES, until, batch_size=BATCH, **options)


WHOLE = train(start(), 20)["losses"]


@pytest.mark.parametrize("stop", range(1, 20))
def test_stopped_anywhere_the_losses_are_the_same_to_the_last_bit(stop, tmp_path):
    write_whole(tmp_path / "run.pt", train(start(), stop))
    later = train(start(), 20, saved=read_whole(tmp_path / "run.pt"))
    assert later["losses"] == WHOLE and len(set(WHOLE)) == 20


@pytest.mark.parametrize(("part", "first"), [("net", 7), ("optimiser", 8), ("schedule", 9), ("generator", 7)])
def test_each_part_that_is_left_out_shows_in_its_own_step(part, first):
    """Weights and noise show in the next loss, moments in the second; the rate comes back with the optimiser, then is lost."""
    later = train(start(), 20, saved=train(start(), 7), leave_out=(part,))["losses"]
    assert later[:first] == WHOLE[:first] and later[first] != WHOLE[first]


def test_order_and_place_are_part_of_it():
    saved = train(start(), 4)                                          # 10 samples in batches of 4: in the middle of an epoch
    assert saved["place"] == 4 and sorted(saved["order"].tolist()) == list(range(SAMPLES))
    again = train(start(), 20, saved={**saved, "order": torch.randperm(0), "place": 0})["losses"]
    assert again[4] != WHOLE[4]


def test_what_is_packed_shares_nothing_with_the_run():
    run = start()
    saved = pack(run, {"place": 3})
    before = {name: value.clone() for name, value in saved["net"].items()}
    train(run, 3)
    assert all(torch.equal(saved["net"][name], value) for name, value in before.items())
    assert not saved["optimiser"]["state"] and unpack(run, saved) == {"place": 3}
    train(run, 3)
    assert all(torch.equal(saved["net"][name], value) for name, value in before.items())


def test_each_is_called_after_every_step():
    seen = []
    train(start(), 5, each=lambda saved: seen.append((len(saved["losses"]), saved["place"])))
    assert seen == [(1, 4), (2, 8), (3, 10), (4, 4), (5, 8)]


def test_a_writer_that_dies_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    write_whole(path, {"place": 1})

    def dies(saved, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.torch, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, {"place": 2})
    assert read_whole(path) == {"place": 1} and os.path.exists(f"{path}.part")
    monkeypatch.undo()
    assert write_whole(path, {"place": 3}) == path.stat().st_size and read_whole(path) == {"place": 3}
    assert os.listdir(tmp_path) == ["run.pt"]


def test_a_file_from_elsewhere_runs_no_code(tmp_path):
    torch.save({"place": os.system}, tmp_path / "run.pt")
    with pytest.raises(Exception, match="[Ww]eights"):
        read_whole(tmp_path / "run.pt")


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: pack(start(), {"net": 1}), ValueError, "other names"), (lambda: pack((1, 2, 3, 4), {}), TypeError, "must be Tr"),
    (lambda: unpack(start(), {"net": 1}), TypeError, "saved must be a dict"),
    (lambda: unpack(start(), pack(start(), {}), ("nets",)), ValueError, "leave_out must be"),
    (lambda: train(start(), 3, saved=pack(start(), {})), TypeError, "order, place, losses"),
    (lambda: train(start(), 0), ValueError, "until must be"), (lambda: read_whole("none.pt"), ValueError, "none.pt is none"),
    (lambda: write_whole("run.txt", {}), TypeError, "ends in .pt"),
    (lambda: write_whole("no/run.pt", {}), ValueError, "does not"),
    (lambda: go_on(start(), lambda batch, generator: 1.0, 4, 1, batch_size=2), TypeError, "scalar tensor"),
])
def test_what_cannot_be_meant_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()

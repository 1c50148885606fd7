"""What ties notebook 23 together: equations, listings, modules, explorers, and processes that start, agree, die and end."""
import ast
import csv
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from snnteach import checkpoints, hosting, scaling
from snnteach.authoring import notebooks
from snnteach.lessons.scaling import answers, explorers, launch, relay, study, worker
from snnteach.reader.judge import judge
from snnteach.reader.lookup import exercise as find
from tests.cells import code_cells, execute
from tests.drawing import background, pictures
from tests.listings import namespace


@pytest.fixture(scope="module")
def listing():
    return namespace("scaling")


def cells():
    (path,) = notebooks.paths(["23"])
    return {cell.id: cell for cell in code_cells(path)}


def case(batch=8, norm="none"):
    net = worker.build(20, norm, torch.float64, 1)
    generator = torch.Generator().manual_seed(0)
    return net, (torch.rand(4, batch, 784, generator=generator) < 0.2).double(), torch.arange(batch) % 10


# Equations and listings

@pytest.mark.parametrize("sizes", [[8], [4, 4], [2, 2, 2, 2], [5, 3]])
def test_equation_1_listing_module_and_exercise_agree(listing, sizes):
    net, x, target = case()
    shown = listing["worker_gradients"](net, x, target, worker.loss, sizes)
    _, package = scaling.share_gradients(net, x, target, worker.loss, sizes)
    assert torch.equal(shown, package) and package.any()
    exact = torch.cat([part.flatten() for part in torch.autograd.grad(worker.loss(net(x), target), list(net.parameters()))])
    by_hand = sum(size / 8 * part for size, part in zip(sizes, shown, strict=True))                              # Eq. 1
    for found in (by_hand, scaling.averaged(shown, tuple(sizes)), find("23.2").reference(shown, tuple(sizes))):
        assert torch.allclose(found, exact, atol=1e-12)


def test_equation_2_module_and_exercise_agree():
    rows = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)).double()
    parts = rows.split([5, 15, 10])
    counts = torch.tensor([5.0, 15.0, 10.0]).double()
    means, variances = (torch.stack([take(part) for part in parts]) for take in (
        lambda part: part.mean(0), lambda part: part.var(0, correction=0)))
    mean = sum(count / 30 * each for count, each in zip(counts, means))                                          # Eq. 2
    variance = sum(count / 30 * (v + (m - mean) ** 2) for count, m, v in zip(counts, means, variances))
    for found in ((mean, variance), scaling.pooled_moments(counts, means, variances),
                  find("23.3").reference(counts, means, variances)):
        assert torch.allclose(found[0], rows.mean(0)) and torch.allclose(found[1], rows.var(0, correction=0))


def test_equation_3_ring_and_explorer_agree(listing):
    vectors = list(torch.randn(5, 23, generator=torch.Generator().manual_seed(0)).double())
    (sums, sent), (theirs, numbers) = (ring(vectors) for ring in (listing["ring_all_reduce"], scaling.ring_all_reduce))
    assert all(map(torch.equal, sums, theirs)) and sent == numbers and sum(sent) == 2 * 4 * 23
    assert all(torch.allclose(each, torch.stack(vectors).sum(0)) for each in sums)
    for workers, num_steps, batch, current in ((1, 1, 64, "changing"), (8, 25, 64, "changing"), (16, 25, 640, "constant")):
        first, second = 784 * 100, 100 * 10
        work = batch * (2 * first * (1 if current == "constant" else num_steps) + 3 * second * num_steps)
        others = workers - 1
        taken = (work / workers / 2e10, 2 * others / workers * 4 * 79510 / 1.25e9 + 2 * others * 5e-5)           # Eq. 3
        data = explorers.compute_share(workers, num_steps, batch, current, "10 Gbit/s")
        assert data["computing"] == pytest.approx(1000 * taken[0]) and data["exchanging"] == pytest.approx(1000 * taken[1])
        assert data["speedups"][workers - 1] == pytest.approx(work / 2e10 / sum(taken))
    assert explorers.PARAMETERS == 79510 == sum(p.numel() for p in worker.build(100, "none", torch.float32, 0).parameters())


def test_equation_4_listing_and_module_agree(listing):
    for readers, cores, think, work in ((1, 2, 60, 2), (30, 2, 60, 2), (50, 3, 20, 4)):
        assert listing["seconds_to_result"](readers, cores, think, work) == pytest.approx(
            hosting.shared_cores(readers, cores, think, work).response)


def test_the_start_of_the_notebook_is_that_of_the_process_that_dies(listing):
    shown, package = listing["make_run"](), relay.make_run()
    assert all(torch.equal(a, b) for a, b in zip(shown.net.parameters(), package.net.parameters()))
    assert shown.optimiser.state_dict() == package.optimiser.state_dict()
    assert shown.schedule.state_dict() == package.schedule.state_dict()
    assert torch.equal(shown.generator.get_state(), package.generator.get_state())


def test_training_as_shown_is_the_modules(listing):
    nets = [case()[0] for _ in range(2)]
    _, x, target = case()
    losses = [train(net, worker.optimiser(net, 0.02), [(x, target)] * 3, worker.loss)
              for train, net in zip((listing["train"], scaling.train_shared), nets)]
    assert losses[0] == losses[1] and all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in nets)))


# Exercises

def test_the_answers_are_the_modules():
    assert find("23.1").reference == 4 * round(2 * 3 / 4 * 79510)
    assert find("23.4").reference == pytest.approx(study.unseen(8, 40_000), abs=0.01)
    assert find("23.7").reference == hosting.readers_that_fit(16_000, 100 + int(explorers.kernels()[1].max()), 1500)
    assert find("23.5").reference == pytest.approx(2 / (4 * 8 + 2))


@pytest.mark.parametrize("stops", [(3,), (1, 2, 3, 11), (7, 12)])
def test_the_build_is_the_module_however_often_it_dies(stops):
    assert answers.survive(answers.small_run, answers.SmallLoss(), stops, relay.Disk()) == answers.LOSSES[:stops[-1]]
    run, loss = answers.small_run(), answers.SmallLoss()
    package = checkpoints.go_on(run, lambda batch, generator: loss(run.net, batch, generator), loss.samples, stops[-1],
                                batch_size=loss.batch_size)
    assert package["losses"] == answers.LOSSES[:stops[-1]]


def test_a_checkpoint_under_other_names_is_refused_in_words():
    def renamed(make_run, loss, stops, disk):
        disk.write({"model": {}})
    verdict, reason = judge(find("23.6"), renamed)
    assert verdict == "not yet" and "net, optimiser, schedule" in reason


def test_the_cell_after_the_build_runs_with_a_reader_s_answer(monkeypatch, capsys, listing):
    """A process is started, goes on from the reader's file, and is killed: the second of the two starts of these tests."""
    task = study.job(0)
    small = SimpleNamespace(id="s4-build", source=cells()["s4-build"].source.replace("(36,)", "(24,)"))
    names = {**listing, "survive": answers.survive, "task": task, "whose": lambda fn: "your code"}
    execute(small, names)
    said = capsys.readouterr().out
    assert "20 steps, whole" in said and "your code: 24 of 36 losses" in said
    assert names["resumed"] == names["uninterrupted"] and isinstance(names["half"], str)


# Processes

def test_two_processes_under_torchrun_say_what_the_program_says_alone(tmp_path):
    """The stand-alone program: the first of the two starts of these tests."""
    (tmp_path / "program.py").write_text(cells()["program"].source, encoding="utf-8")
    command = [part if part != "-m" or place < 2 else None
               for place, part in enumerate(launch.torchrun(2, str(tmp_path / "program.py")))]
    process = subprocess.Popen([part for part in command if part], env=launch.environment(), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = process.communicate(timeout=launch.SECONDS)[0]
    alone = "".join(output["text"] for output in cells()["program"].outputs)
    assert process.returncode == 0 and said == alone and said.count("loss") == 3


def test_a_process_that_takes_too_long_is_ended():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True, stdout=subprocess.PIPE)
    with pytest.raises(RuntimeError, match="not done after 0.1 seconds"):
        launch.finish(process, 0.1)
    assert process.poll() is not None


def test_every_wait_of_a_worker_has_an_end():
    """A watchdog in each process, time-outs for the group, and for who started it; nothing listens beyond this machine."""
    for module, words in ((worker, ("dump_traceback_later", "timeout=timedelta")), (relay, ("dump_traceback_later",)),
                          (launch, ("timeout=seconds", "process.wait(10)", "--local-addr=127.0.0.1"))):
        text = Path(module.__file__).read_text(encoding="utf-8")
        assert all(word in text for word in words)
    assert "0.0.0.0" not in Path(study.__file__).read_text(encoding="utf-8")


def test_the_norms_of_the_workers_differ_as_said():
    nets = {norm: case(norm=norm) for norm in worker.NORMS}
    (own, x, target), (shared, *_) = nets["own"], nets["shared"]
    whole = [scaling.share_gradients(net, x, target, worker.loss, (8,))[1] for net in (own, shared)]
    assert torch.allclose(*whole, atol=1e-9) and whole[0].any()                  # one worker: the same norm
    parts = scaling.share_gradients(own, x, target, worker.loss, (4, 4))[1]
    assert (parts.mean(0) - whole[0][0]).norm() > 0.01 * whole[0].norm()


# The study

def test_noise_of_one_seed_and_of_many(monkeypatch):
    inputs, targets = torch.rand(64, 784), torch.arange(64) % 10
    monkeypatch.setattr(study, "images", lambda: (inputs, targets, inputs, targets))
    same, own = (study.gradient_noise("one mask", 4, shared, 0, 64, draws=8) for shared in (True, False))
    assert same > own and 0.1 < own < 0.45
    x, target = inputs[:8], targets[:8]
    net = study.SpikingMLP((784, 100, 10), readout="membrane")
    for kind, numbers in (("coins", 79510), ("masks", 79510), ("one mask", 79510), ("probe", 1000)):
        one, again, other = (study.noisy_gradient(kind, net, x, target, torch.Generator().manual_seed(seed))
                             for seed in (0, 0, 1))
        assert torch.equal(one, again) and not torch.equal(one, other) and one.shape == (numbers,)


def test_nobody_reads_what_all_miss():
    assert study.unseen(1) == 0 and study.unseen(16, 20_000) == pytest.approx((15 / 16) ** 16, abs=0.01)


# The explorers

def test_the_kernels_are_those_that_were_measured():
    """The benchmark may be measured again: the lesson's copy says with 22 notebooks, and must stay near it."""
    with open(Path(__file__).parents[1] / "benchmarks" / "memory.csv", newline="") as file:
        now = {row["notebook"]: float(row["peak_mb"]) for row in csv.DictReader(file)}
    with open(explorers.KERNELS, newline="") as file:
        kept = {row["notebook"]: float(row["peak_mb"]) for row in csv.DictReader(file)}
    assert len(kept) == 22 and all(abs(now[name] - value) < 0.35 * value for name, value in kept.items() if name in now)


def test_the_picture_of_a_step():
    for picture, s in pictures("scaling.share", 6):
        data = explorers.compute_share(**s)
        total = data["computing"] + data["exchanging"]
        for name, y, color in (("computing", 0.75, "blue"), ("exchanging", -0.25, "vermillion")):
            picture.bar(name, 0, y, data[name] / total, 0.5, color)
        picture.says("took", "{} ms, {}% exchanging", total, 100 * data["exchanging"] / total)
        picture.line("curve", range(1, 17), data["speedups"], "blue", marker=".")
        speed = data["speedups"][s["workers"] - 1]
        picture.points("point", [s["workers"]], [speed], "vermillion")
        picture.says("says", "{} workers, T = {}: {} times as fast", s["workers"], s["num_steps"], speed)


def test_the_picture_of_a_class():
    for picture, s in pictures("scaling.class", 6):
        shown = [count for count in explorers.POINTS if count < s["readers"]] + [s["readers"]]
        memory = [1.5 + hosting.memory_needed(count, 388, 908, s["share"]) / 1000 for count in shown]
        crowds = [hosting.shared_cores(count, s["cores"], 60, s["work"]) for count in shown]
        picture.line("memory", shown, memory, "blue")
        picture.points("need", [s["readers"]], memory[-1:], "vermillion")
        picture.says("gigabytes", "{} readers: {} GB,\nenough 99 times in 100", s["readers"], memory[-1])
        picture.line("wait", shown, [crowd.response for crowd in crowds], "blue")
        picture.points("now", [s["readers"]], [crowds[-1].response], "vermillion")
        picture.says("says", "{} readers: {} s,\ncores busy {}%", s["readers"], crowds[-1].response, 100 * crowds[-1].busy)


def test_what_stands_behind_the_pictures():
    behind = background("scaling.share")
    behind.axes("0", "One step", ("share of the step's time", 0, 1), ("", -0.6, 1.6), yticks={0: "exchanging", 1: "computing"})
    behind.axes("1", "Speed-up", ("workers N", 0.5, 16.5), ("times as fast as one", 0, 16.5))
    behind.line("1.line0", [1, 16], [1, 16], "0.6", ":")
    behind.rule("1.line1", "0.6", "--", y=1)
    behind.says("1.text0", "N times", at=(12.5, 13.4))
    behind.done()
    behind = background("scaling.class")
    behind.axes("0", "What they fill", ("readers", 0, 100), ("memory (GB)", 0, 100))
    behind.axes("1", "How long they wait", ("readers", 0, 100), ("time to a result, on average", 0.4, 1500), yscale="log",
                yticks={1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min"})
    for name, share, style in (("0.line0", 1.0, "--"), ("0.line1", 0.0, ":")):
        ends = [1.5 + hosting.memory_needed(count, 388, 908, share) / 1000 for count in (1, 100)]
        behind.line(name, [1, 100], ends, "0.5", style)
    behind.says("0.text0", "all at the peak", at=(66, 78))
    behind.says("0.text1", "all idle", at=(98, 26))
    behind.done()


def test_the_program_is_short_and_needs_no_course():
    source = cells()["program"].source
    roots = {(node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
             for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert roots - set(sys.stdlib_module_names) == {"torch"} and source.count("\n") < 60
    assert math.isfinite(float(cells()["program"].outputs[0]["text"].split()[-1]))

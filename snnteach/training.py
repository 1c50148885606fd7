"""The training loop, from one step to a whole run, and what comes out: answers, accuracy, explained variance."""
import inspect
import math
import time
import warnings

import torch

from ._arguments import (
    check_code,
    check_data,
    check_encode,
    check_ends,
    check_finite,
    check_inputs,
    check_loss,
    check_net,
    check_numbers,
    check_optional,
    check_records,
    check_scalar,
    check_tensor,
    check_that,
    check_whole,
)
from .padding import end_together, pad_back, pad_front
from .scores import explained_variance, final_membrane, most_active
from .slices import exact_slice


def _check_batch(x, target, lengths, optimiser, slice_size):
    check_tensor("train_step", "x", x, "[T, B, ...] (time first)")
    check_that("train_step", x.dim() > 1 and x.numel() > 0, f"x must be [T, B, ...] and not empty, got shape {tuple(x.shape)}.")
    check_tensor("train_step", "target", target, "[B] of class numbers, or [B], [B, C] or [T, B, C] of quantities")
    check_that("train_step", target.dim() > 0 and target.shape[int(target.dim() == 3)] == x.shape[1],
               f"target must hold the {x.shape[1]} samples of x [T, B, ...], got shapes {tuple(target.shape)} and "
               f"{tuple(x.shape)}. For batch-first input x.transpose(0, 1).")
    check_that("train_step", isinstance(optimiser, torch.optim.Optimizer), "optimiser must be a torch.optim optimiser, such as "
               f"torch.optim.Adam(net.parameters()), got {type(optimiser).__name__}.", TypeError)
    if lengths is not None:
        check_ends("train_step", lengths, x.shape[1], most=len(x))
    if slice_size is not None:
        check_whole("train_step", slice_size=slice_size)


def _check_recipe(net, epochs, batch_size, learning_rate, weight_decay, seed, slice_size, loss, encode):
    check_net("fit", net)
    check_loss("fit", loss)
    check_encode("fit", encode)
    check_whole("fit", high=10**7, epochs=epochs, batch_size=batch_size)
    check_numbers("fit", above=0, learning_rate=learning_rate)
    check_numbers("fit", low=0, weight_decay=weight_decay)
    check_whole("fit", low=0, high=2**63 - 1, seed=seed)
    check_that("fit", any(parameter.requires_grad for parameter in net.parameters()), "net has no parameter that learns.")
    if slice_size is not None:
        check_whole("fit", slice_size=slice_size)


def _check_validation(validation, lengths):
    if validation is not None:
        check_that("fit", isinstance(validation, (tuple, list)) and len(validation) == (2 if lengths is None else 3),
                   f"validation must be {'the pair (inputs, targets)' if lengths is None else '(inputs, targets, lengths)'}, "
                   f"got {f'{len(validation)} parts' if isinstance(validation, (tuple, list)) else type(validation).__name__}."
               f"{'' if lengths is None else ' Lengths of the training data need those of the validation data.'}", TypeError)
        check_data("fit (validation)", validation[0], validation[1], None if lengths is None else validation[2])


def train_step(net, x, target, *, loss, optimiser, regulariser=None, slice_size=None, lengths=None):
    """Improve the weights once, from one batch: forward, loss, backward through time, optimiser.

    w <- w - optimiser's step along d(loss + regulariser)/dw

    With slice_size the batch goes through in slices of so many samples, whose gradients add up: the same step, in less memory
    and, because the tensors [T, slice_size, N] of a layer stay in the cache, in less time. It is exact where loss and
    regulariser average over the batch and no sample changes another's output (as batch norm does); dropout and noise draw
    other numbers of the same distribution. Input that stays the same is multiplied by the first weights once for all slices.

    Args:
        net: a network that returns a list of `Record`, one a layer.
        x: input, [T, B, ...].
        target: class numbers, [B], or quantities for a regression, [B], [B, C] or [T, B, C].
        loss: function of (records, target) that returns a scalar tensor.
        optimiser: a `torch.optim` optimiser of the network's parameters.
        regulariser: function of records that returns a scalar tensor to be added to the loss, or None.
        slice_size: samples at a time, or None for the whole batch at once.
        lengths: steps of each sample in x, [B], int64, or None. What was recorded after a sample's end is left out: the loss
            sees records (and targets [T, B, C]) that were moved by `pad_front`, so that all samples end together and zeros
            stand before them. Losses and penalties that know T (`mse_count_loss`, `ce_step_loss`, firing rates) divide by it
            or ask for spikes in all T steps: the zeros count as steps of silence.

    Returns:
        The loss before the step, a float, without the regulariser.

    Raises:
        TypeError: an argument of a wrong kind, a network that returns no list of `Record`, a loss that is no scalar tensor.
        ValueError: numbers of samples that differ, a loss that no weight moves, or the loss or the regulariser is NaN or
            infinite; the weights are still those of the step before.

    Source: Eshraghian et al. (2023), section IV-C.

    >>> from snnteach.losses import ce_count_loss
    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x, target = SpikingMLP((20, 50, 2)), torch.rand(10, 8, 20), torch.tensor([0, 1] * 4)
    >>> optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    >>> def loss(records, target): return ce_count_loss(records[-1].spk, target)
    >>> before = train_step(net, x, target, loss=loss, optimiser=optimiser)
    >>> train_step(net, x, target, loss=loss, optimiser=optimiser) < before
    True
    """
    check_net("train_step", net)
    check_loss("train_step", loss)
    check_optional("train_step", regulariser=regulariser)
    _check_batch(x, target, lengths, optimiser, slice_size)
    return _improve("train_step", net, x, target, lengths, loss, optimiser, regulariser, slice_size)


def _improve(owner, net, x, target, lengths, loss, optimiser, regulariser, slice_size):
    optimiser.zero_grad()
    once = x.stride(0) == 0 and _multiplies_first(net)
    entry = net.current(x) if once else x                        # input that stays the same: one product for all slices
    samples, leaves, total = x.shape[1], [], 0.0
    size = samples if slice_size is None else int(slice_size)
    for start in range(0, samples, size):
        part = slice(start, start + size)
        leaves.append(entry[:, part].detach().requires_grad_(entry.requires_grad))
        inputs = (x[:, part], leaves[-1]) if once else (leaves[-1],)
        wanted = target[:, part] if target.dim() == 3 else target[part]
        steps, share = None if lengths is None else lengths[part], leaves[-1].shape[1] / samples
        total += _send_back(owner, net, inputs, wanted, steps, loss, regulariser, share)
    if entry.requires_grad:
        entry.backward(torch.cat([torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves], 1))
    optimiser.step()
    return total


def _multiplies_first(net):
    """Tell whether net is one like `SpikingMLP`, with net(x, current) for what net.current(x) returns."""
    second = list(inspect.signature(net.forward).parameters)[1:2]
    return second == ["current"] and inspect.ismethod(getattr(net, "current", None))


def _send_back(owner, net, inputs, target, lengths, loss, regulariser, share):
    """Add a slice's share of the gradients to those of the slices before, and return its share of the loss."""
    records = net(*inputs)
    check_records(owner, records, inputs[-1].shape[1])
    if lengths is not None:
        check_ends(owner, lengths, inputs[-1].shape[1], most=len(records[-1].mem))
        records, target = end_together(records, lengths), pad_front(target, lengths) if target.dim() == 3 else target
    penalty = 0 if regulariser is None else regulariser(records)
    _check_penalty(owner, penalty)
    value = loss(records, target)
    check_scalar(owner, "loss", value)
    total = value + penalty
    _check_learns(owner, total)
    if not math.isfinite(total.item()):
        raise ValueError(f"{owner}: the loss is {total.item()}. Lower the learning rate, or look for very large input.")
    (share * total).backward()
    return share * value.item()


def _check_penalty(owner, penalty):
    if isinstance(penalty, torch.Tensor) or not isinstance(penalty, (int, float)):
        check_scalar(owner, "regulariser", penalty)


def _check_learns(owner, penalised):
    check_that(owner, penalised.requires_grad, "the loss depends on no weight that learns: all of net is frozen, or loss takes "
               "the gradient away (.detach(), .item(), argmax).")


def fit(net, inputs, targets, *, loss, encode, epochs, batch_size=128, learning_rate=1e-3, weight_decay=0.0, seed,
        validation=None, regulariser=None, augment=None, progress=None, read=None, slice_size=None, lengths=None):
    """Train a network with AdamW under a one-cycle schedule: the learning rate rises for the first 30 % and then falls to 0.

    for each epoch, for each batch of a new random order: train_step(net, encode(batch), ...)

    Large batches are trained in slices (see `train_step`), the same step in about half the time, where that is exact: fit looks
    on the first batch whether loss and regulariser average over the batch, and leaves networks with batch norm whole.

    There are examples of a regression in `r_squared`, of weighted classes in `snnteach.scores.balanced_weights`, of padded
    sequences in `snnteach.padding.end_together` and of events from a camera in `accuracy`.

    Args:
        net: a network that takes [T, B, ...] and returns a list of `Record`, one a layer; trained in place.
        inputs: training data, [samples, ...].
        targets: class numbers, [samples], int64; or, for a regression, quantities [samples], [samples, C] or [T, samples, C].
        loss: function of (records, target) that returns a scalar tensor, such as
            `lambda records, target: ce_membrane_loss(records[-1].mem, target)`.
        encode: function that turns a batch [B, ...] into input [T, B, ...].
        epochs, batch_size: whole numbers.
        learning_rate: peak of the schedule, positive.
        weight_decay: AdamW's weight decay, per step and unit of learning rate.
        seed: of the batch order and of whatever net, encode and augment draw from torch's global generator.
        validation: (inputs, targets) held out of the training data, to be measured after each epoch by `accuracy` or, for a
            regression, by `r_squared`, or None; (inputs, targets, lengths) where there are lengths.
        regulariser: function of records that returns a scalar tensor to be added to the loss, or None.
        augment: function that turns a training batch [B, ...] into a varied one of the same shape, or None.
        progress: function that is called after each epoch with this epoch's dict, or None.
        read: how validation reads the answers, as in `predict`; None for what `accuracy` and `r_squared` do by themselves.
        slice_size: samples at a time, or None for fit's own choice; batch_size keeps batches whole, which networks need that
            let samples influence each other in ways of their own.

        lengths: steps of each sample after encode, [samples], int64, or None; as in `train_step`.

    Returns:
        A list of dicts, one an epoch: "epoch" (from 1), "loss" (mean over the samples, without the regulariser),
        "seconds" of training and, with validation data, "accuracy" or "r_squared" on them. The same seed gives the
        same weights; torch's global generator is left as it was. A fit that is interrupted from the keyboard warns and
        returns the epochs that it finished.

    Raises:
        TypeError: an argument of a wrong kind, such as targets neither int64 nor floating point, or encode no function.
        ValueError: numbers of samples that differ, also in what encode returns; epochs, batch_size or learning_rate not
            positive, seed not a whole number from 0, NaN or infinity in the data or in the loss.

    Source: Loshchilov and Hutter (2019), arXiv:1711.05101 (AdamW); Smith and Topin (2019), arXiv:1708.07120 (one cycle).

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> x, target = torch.rand(64, 20), torch.arange(64) % 2
    >>> net = SpikingMLP((20, 50, 2), readout="membrane")
    >>> history = fit(net, x, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y),
    ...               encode=lambda x: direct_current(x, num_steps=5), epochs=5, batch_size=32, learning_rate=0.01, seed=0)
    >>> history[-1]["loss"] < history[0]["loss"]
    True
    """
    check_data("fit", inputs, targets, lengths)
    _check_recipe(net, epochs, batch_size, learning_rate, weight_decay, seed, slice_size, loss, encode)
    check_optional("fit", regulariser=regulariser, augment=augment, progress=progress, read=read)
    _check_validation(validation, lengths)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=float(learning_rate), weight_decay=float(weight_decay), fused=True)
    epochs, batch_size = int(epochs), int(batch_size)
    steps = max(2, epochs * math.ceil(len(inputs) / batch_size))              # the schedule of a single step would be all end
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, float(learning_rate), steps)
    step = _Steps(net, targets, lengths, loss, optimiser, regulariser, slice_size)
    history = []
    with torch.random.fork_rng():
        torch.manual_seed(int(seed))
        try:
            for epoch in range(1, epochs + 1):
                start, total = time.perf_counter(), 0.0
                net.train()
                for batch in torch.randperm(len(inputs)).split(batch_size):
                    total += len(batch) * step(_encoded("fit", encode, inputs[batch], augment), batch)
                    schedule.step()
                history.append({"epoch": epoch, "loss": total / len(inputs), "seconds": time.perf_counter() - start})
                if validation is not None:
                    history[-1] |= _measure("fit (validation)", net, *validation[:2], encode, read, *validation[2:])
                if progress is not None:
                    progress(history[-1])
        except KeyboardInterrupt:
            warnings.warn(f"fit: interrupted after {len(history)} of {epochs} epochs.", stacklevel=2)
    return history


class _Steps:
    """Steps on batches of the training data; the first finds out in which slices the others may go."""

    def __init__(self, net, targets, lengths, loss, optimiser, regulariser, slice_size):
        self.net, self.targets, self.lengths, self.loss = net, targets, lengths, loss
        self.optimiser, self.regulariser, self.slice_size = optimiser, regulariser, slice_size

    def __call__(self, x, batch):
        target = self.targets[:, batch] if self.targets.dim() == 3 else self.targets[batch]
        lengths = None if self.lengths is None else self.lengths[batch]
        loss = self._watched if self.slice_size is None else self.loss
        return _improve("fit", self.net, x, target, lengths, loss, self.optimiser, self.regulariser, self.slice_size)

    def _watched(self, records, target):
        value = self.loss(records, target)
        check_scalar("fit", "loss", value)
        self.slice_size = exact_slice(self.net, records, target, loss=self.loss, regulariser=self.regulariser,
                                       among=self.targets)
        return value


def _encoded(owner, encode, batch, augment=None):
    changed = batch if augment is None else augment(batch)
    check_that(owner, isinstance(changed, torch.Tensor) and changed.dim() > 1 and len(changed) == len(batch),
               f"augment must return the {len(batch)} samples that it was given, changed, as a tensor [B, ...].")
    x = encode(changed)
    check_code(owner, x, len(batch))
    return x


def predict(net, inputs, *, encode, read=most_active, batch_size=500, seed=0, lengths=None):
    """Ask the network about each sample: by default for its class, with another reading for numbers.

    answer = read(last record)

    Args:
        net: a network that takes [T, B, ...] and returns a list of `Record`, one a layer.
        inputs: samples, [samples, ...].
        encode: function that turns a batch [B, ...] into input [T, B, ...].
        read: function of the last layer's `Record` that returns the answers, [B, ...] or, if they are asked for at each step,
            [T, B, C]: `most_active` (classes), `final_membrane` (numbers), or your own, such as `lambda record: record.mem`.
        batch_size: samples at a time; no gradient is kept, so memory stays small.
        seed: of what encode draws from torch's global generator, which is left as it was.
        lengths: steps of each sample after encode, [samples], int64, or None. What was recorded after a sample's end is left
            out: read sees a record in which all samples end together and zeros stand before them (`pad_front`), and answers
            [T, B, C] are moved back.

    Returns:
        The answers, [samples, ...] or [T, samples, C]; class numbers are int64.

    Raises:
        TypeError: an argument of a wrong kind, a network that returns no list of `Record`.
        ValueError: batch_size less than 1, numbers of samples that differ in what encode or read returns, NaN.

    Source: Eshraghian et al. (2023), section III-B, rate-coded output.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> predict(SpikingMLP((20, 50, 2)), torch.rand(7, 20), encode=lambda x: direct_current(x, num_steps=5)).shape
    torch.Size([7])
    """
    _check_question("predict", net, inputs, encode, read, batch_size, seed, lengths)
    return _answer("predict", net, inputs, encode, read, lengths, batch_size, seed)


def _check_question(owner, net, inputs, encode, read, batch_size, seed, lengths):
    check_net(owner, net)
    check_inputs(owner, inputs, lengths)
    check_whole(owner, batch_size=batch_size)
    check_whole(owner, low=0, high=2**63 - 1, seed=seed)
    check_encode(owner, encode)
    check_optional(owner, read=read)


def _answer(owner, net, inputs, encode, read, lengths, batch_size=500, seed=0):
    modes, answers = [(module, module.training) for module in net.modules()], []
    net.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(int(seed))
            for start in range(0, len(inputs), int(batch_size)):
                part = slice(start, start + int(batch_size))
                x = _encoded(owner, encode, inputs[part])
                answers.append(_read(owner, net(x), read, x.shape[1], None if lengths is None else lengths[part]))
    finally:
        for module, mode in modes:
            module.training = mode
    check_that(owner, len({answer.shape[:1] if answer.dim() == 3 else answer.shape[1:] for answer in answers}) == 1,
               "encode must make equally many steps of each batch, and read answers of one layout.")
    return torch.cat(answers, int(answers[0].dim() == 3))


def _read(owner, records, read, samples, steps):
    check_records(owner, records, samples)
    record = records[-1]
    check_finite(owner, "what net's last layer recorded", record.mem if record.spk is None else record.spk + record.mem)
    if steps is not None:
        check_ends(owner, steps, samples, most=len(record.mem))
        (record,) = end_together([record], steps)
    answer = read(record)
    _check_answer(owner, answer, samples)
    return answer if steps is None or answer.dim() != 3 else pad_back(answer, steps)


def _check_answer(owner, answer, samples):
    check_tensor(owner, "read's result", answer, "[B, ...] or [T, B, C]")
    check_that(owner, answer.dim() > 0 and answer.shape[int(answer.dim() == 3)] == samples,
               f"read must return an answer for each of the {samples} samples, [B, ...] or [T, B, C], got shape "
               f"{tuple(answer.shape)}. For numbers at the last step: read=final_membrane.")


def accuracy(net, inputs, targets, *, encode, read=most_active, batch_size=500, seed=0, lengths=None):
    """Measure the fraction of samples that the network names rightly.

    accuracy = mean of (predict(inputs) == targets)

    Args:
        net, inputs, encode, read, batch_size, seed, lengths: as in `predict`.
        targets: class numbers, [samples], int64.

    Returns:
        A float between 0 and 1; its standard error is sqrt(p (1-p) / samples).

    Raises:
        TypeError: an argument of a wrong kind, targets not int64.
        ValueError: numbers of samples that differ, also in what encode or read returns; batch_size less than 1, NaN.

    Source: Eshraghian et al. (2023), section III-B.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> x, net = torch.rand(7, 20), SpikingMLP((20, 50, 2))
    >>> def encode(x): return direct_current(x, num_steps=5)
    >>> accuracy(net, x, predict(net, x, encode=encode), encode=encode)
    1.0

    Events of a camera, rows (t, x, y, p): here those of class 1 lie further to the right.

    >>> from snnteach.events import events_to_tensor
    >>> from snnteach.losses import ce_membrane_loss
    >>> _ = torch.manual_seed(0)
    >>> target = torch.arange(64) % 2
    >>> recordings = [torch.stack([torch.randint(0, 10_000, (50,)), torch.randint(0, 3, (50,)) + y, torch.randint(0, 4, (50,)),
    ...                            torch.randint(0, 2, (50,))], 1) for y in target]
    >>> films = torch.stack([events_to_tensor(events, size=(4, 4), step_us=1000, num_steps=10, origin_us=0)
    ...                      for events in recordings]).flatten(2)                         # [samples, T, 2 * H * W]
    >>> def encode(x): return x.transpose(0, 1)                                            # [T, B, N]
    >>> net = SpikingMLP((32, 50, 2), readout="membrane")
    >>> history = fit(net, films, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y), encode=encode,
    ...               epochs=8, learning_rate=0.05, seed=0)
    >>> accuracy(net, films, target, encode=encode) > 0.8
    True
    """
    _check_question("accuracy", net, inputs, encode, read, batch_size, seed, lengths)
    check_data("accuracy", inputs, targets, lengths)
    check_that("accuracy", not targets.is_floating_point(), f"targets must be int64 class numbers, got {targets.dtype}. For "
               "quantities use r_squared; class numbers stored as floats convert with targets.long().", TypeError)
    return _measure("accuracy", net, inputs, targets, encode, read, lengths, batch_size, seed)["accuracy"]


def r_squared(net, inputs, targets, *, encode, read=None, batch_size=500, seed=0, lengths=None):
    """Measure how much of the targets' variance a regression explains.

    r_squared = 1 - sum of (target - answer)^2 / sum of (target - mean target)^2

    1 where every answer is right, 0 for a network that always answers the mean, negative for one that is worse than that.

    Args:
        net, inputs, encode, batch_size, seed, lengths: as in `predict`.
        targets: quantities, [samples], [samples, C] or [T, samples, C]; each output C has its own mean. Steps after a
            sample's end do not count.
        read: as in `predict`; None for `final_membrane` or, for targets [T, samples, C], the membranes of all steps.

    Returns:
        A float of at most 1, over all outputs together.

    Raises:
        TypeError: an argument of a wrong kind, targets not floating point.
        ValueError: answers and targets of different shapes, targets that do not vary, batch_size less than 1, NaN.

    Source: Draper and Smith (1998), Applied Regression Analysis, section 1.3 (the coefficient of determination).

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> x, net = torch.rand(7, 20), SpikingMLP((20, 50, 2), readout="membrane")
    >>> def encode(x): return direct_current(x, num_steps=5)
    >>> r_squared(net, x, predict(net, x, encode=encode, read=final_membrane), encode=encode)
    1.0

    A regression: quantities for targets, and a loss on the membranes.

    >>> from snnteach.losses import mse_membrane_loss
    >>> _ = torch.manual_seed(0)
    >>> x, net = torch.rand(64, 20), SpikingMLP((20, 50, 1), readout="membrane")
    >>> history = fit(net, x, x[:, 0], loss=lambda records, y: mse_membrane_loss(records[-1].mem, y), encode=encode,
    ...               epochs=16, batch_size=8, learning_rate=0.02, seed=0, validation=(x, x[:, 0]))
    >>> history[-1]["r_squared"] > 0.5
    True
    """
    _check_question("r_squared", net, inputs, encode, read, batch_size, seed, lengths)
    check_data("r_squared", inputs, targets, lengths)
    check_that("r_squared", targets.is_floating_point(), f"targets must be floating-point quantities, got {targets.dtype}. For "
               "class numbers use accuracy.", TypeError)
    return _measure("r_squared", net, inputs, targets, encode, read, lengths, batch_size, seed)["r_squared"]


def _measure(owner, net, inputs, targets, encode, read, lengths=None, batch_size=500, seed=0):
    """The score that goes with the kind of targets, by its name."""
    classes = not targets.is_floating_point()
    read = read or (most_active if classes else final_membrane if targets.dim() < 3 else lambda record: record.mem)
    answers = _answer(owner, net, inputs, encode, read, lengths, batch_size, seed)
    answers = answers[:, 0] if not classes and targets.dim() == 1 and answers.shape[1:] == (1,) else answers
    check_that(owner, answers.shape == targets.shape,
               f"answers and targets must have one shape, got {tuple(answers.shape)} and {tuple(targets.shape)}. The answers "
               "are read(last record) of all samples: build the network with as many outputs, or pass another read.")
    check_that(owner, not (classes and answers.is_floating_point()), f"read must return class numbers, got {answers.dtype}. "
               "Round or compare quantities inside read, as in (record.mem[-1, :, 0] > 0.5).long().", TypeError)
    if classes:
        return {"accuracy": (answers == targets).double().mean().item()}
    if targets.dim() == 3:                                                       # [T, samples, C]: the steps before each end
        valid = torch.arange(len(targets))[:, None] < (torch.full((len(inputs),), len(targets)) if lengths is None else lengths)
        answers, targets = answers[valid], targets[valid]                        # [steps, C]
    check_that(owner, bool((targets != targets[:1]).any()), "targets are all the same: there is no variance to explain.")
    return {"r_squared": explained_variance(answers, targets)}

"""The training loop, from one step to a whole run, and the accuracy that comes out."""
import inspect
import math
import time

import torch

from ._arguments import check_callable, check_classes, check_pair, check_positive, check_tensor, check_that, check_whole

SLICE_NUMBERS = 2**20                                            # of a layer's [T, samples, N] at a time: 4 MB in float32


def _check_data(owner, inputs, targets):
    check_tensor(owner, "inputs", inputs, "[samples, ...]")
    check_classes(owner, "targets", targets, "[samples] of class numbers")
    check_that(owner, inputs.dim() > 1 and targets.dim() == 1 and 0 < len(targets) == len(inputs),
               f"inputs must be [samples, ...] and targets [samples], at least one sample, "
               f"got shapes {tuple(inputs.shape)} and {tuple(targets.shape)}.")


def _check_code(owner, encode):
    check_callable(owner, "encode", encode, "For input that stays the same: encode=lambda x: direct_current(x, num_steps=25).")


def _check_options(loss, seed, validation, **functions):
    check_callable("fit", "loss", loss, "Such as loss=lambda records, target: ce_count_loss(records[-1].spk, target).")
    check_whole("fit", low=0, seed=seed)
    if validation is not None:
        check_pair("fit", "validation", validation, "(inputs, targets)")
        _check_data("fit (validation)", *validation)
    for name, value in functions.items():
        if value is not None:
            check_callable("fit", name, value, f"Leave {name} out for none.")


def train_step(net, x, target, *, loss, optimiser, regulariser=None, slice_size=None):
    """Improve the weights once, from one batch: forward, loss, backward through time, optimiser.

    w <- w - optimiser's step along d(loss + regulariser)/dw

    With slice_size the batch goes through in slices of so many samples, whose gradients add up: the same step, in less memory
    and, because the tensors [T, slice_size, N] of a layer stay in the cache, in less time. It is exact where loss and
    regulariser average over the batch and no sample changes another's output (as batch norm does); dropout and noise draw
    other numbers of the same distribution. Input that stays the same is multiplied by the first weights once for all slices.

    Args:
        net: a network that returns a list of `Record`, one a layer.
        x: input, [T, B, ...].
        target: class numbers, [B].
        loss: function of (records, target) that returns a scalar tensor.
        optimiser: a `torch.optim` optimiser of the network's parameters.
        regulariser: function of records that returns a scalar tensor to be added to the loss, or None.
        slice_size: samples at a time, or None for the whole batch at once.

    Returns:
        The loss before the step, a float, without the regulariser.

    Raises:
        ValueError: the loss or the regulariser is NaN or infinite; the weights are still those of the step before.

    Source: Eshraghian et al. (2023), section IV-C.

    >>> from snnteach.losses import ce_count_loss
    >>> from snnteach.networks import SpikingMLP
    >>> _ = torch.manual_seed(0)
    >>> net, x, target = SpikingMLP((20, 50, 2)), torch.rand(10, 8, 20), torch.tensor([0, 1] * 4)
    >>> optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    >>> def loss(records, target): return ce_count_loss(records[-1].spk, target)
    >>> before = train_step(net, x, target, loss=loss, optimiser=optimiser)
    >>> train_step(net, x, target, loss=loss, optimiser=optimiser, slice_size=4) < before
    True
    """
    return _improve("train_step", net, x, target, loss, optimiser, regulariser, slice_size)


def _improve(owner, net, x, target, loss, optimiser, regulariser, slice_size):
    optimiser.zero_grad()
    once = x.stride(0) == 0 and "current" in inspect.signature(net.forward).parameters
    entry = net.current(x[:1]) if once else x                    # input that stays the same: one product for all slices
    samples, leaves, total = x.shape[1], [], 0.0
    for start in range(0, samples, slice_size or samples):
        part = slice(start, start + (slice_size or samples))
        leaves.append(entry[:, part].detach().requires_grad_(entry.requires_grad))
        records = net(x[:, part], leaves[-1].expand(len(x), -1, -1)) if once else net(leaves[-1])
        value = loss(records, target[part])
        penalised = value if regulariser is None else value + regulariser(records)
        if not bool(penalised.isfinite()):
            raise ValueError(f"{owner}: the loss is {penalised.item()}. Lower the learning rate, or look for NaN and for very "
                             f"large numbers in the input.")
        share = leaves[-1].shape[1] / samples
        (share * penalised).backward()                           # adds to the gradients of the slices before
        total += share * value.item()
    if entry.requires_grad:
        entry.backward(torch.cat([torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves], 1))
    optimiser.step()
    return total


def fit(net, inputs, targets, *, loss, encode, epochs, batch_size=128, learning_rate=1e-3, weight_decay=0.0, seed,
        validation=None, regulariser=None, augment=None, progress=None, slice_size=None):
    """Train a network with AdamW under a one-cycle schedule: the learning rate rises for the first 30 % and then falls to 0.

    for each epoch, for each batch of a new random order: train_step(net, encode(batch), ...)

    Large batches are trained in slices (see `train_step`), the same step in about half the time, where that is exact: fit looks
    on the first batch whether loss and regulariser average over the batch, and leaves networks with batch norm whole.

    Args:
        net: a network that takes [T, B, ...] and returns a list of `Record`, one a layer; trained in place.
        inputs, targets: training data, [samples, ...] and [samples] (int64 class numbers).
        loss: function of (records, target) that returns a scalar tensor, such as
            `lambda records, target: ce_membrane_loss(records[-1].mem, target)`.
        encode: function that turns a batch [B, ...] into input [T, B, ...].
        epochs, batch_size: whole numbers.
        learning_rate: peak of the schedule, positive.
        weight_decay: AdamW's weight decay, per step and unit of learning rate.
        seed: of the batch order and of whatever net, encode and augment draw from torch's global generator.
        validation: (inputs, targets) held out of the training data, to be measured after each epoch, or None.
        regulariser: function of records that returns a scalar tensor to be added to the loss, or None.
        augment: function that turns a training batch [B, ...] into a varied one of the same shape, or None.
        progress: function that is called after each epoch with this epoch's dict, or None.
        slice_size: samples at a time, or None for fit's own choice; batch_size keeps batches whole, which networks need that
            let samples influence each other in ways of their own.

    Returns:
        A list of dicts, one an epoch: "epoch" (from 1), "loss" (mean over the samples, without the regulariser),
        "seconds" of training and, with validation data, "accuracy" on them (a fraction). The same seed gives the
        same weights; torch's global generator is left as it was.

    Raises:
        TypeError: inputs or targets not tensors, targets not int64, encode, loss or progress no function.
        ValueError: shapes that do not fit, epochs, batch_size or learning_rate not positive, seed not a whole number from 0,
            a loss that is NaN or infinite.

    Source: Loshchilov and Hutter (2019), arXiv:1711.05101 (AdamW); Smith and Topin (2019), arXiv:1708.07120 (one cycle).

    >>> from snnteach.losses import ce_membrane_loss
    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> x, target = torch.rand(64, 20), torch.arange(64) % 2
    >>> net = SpikingMLP((20, 50, 2), readout="membrane")
    >>> history = fit(net, x, target, loss=lambda records, y: ce_membrane_loss(records[-1].mem, y),
    ...               encode=lambda x: direct_current(x, num_steps=5), epochs=20, batch_size=32, learning_rate=0.01, seed=0)
    >>> history[-1]["loss"] < history[0]["loss"]
    True
    """
    _check_data("fit", inputs, targets)
    check_whole("fit", epochs=epochs, batch_size=batch_size)
    check_positive("fit", learning_rate=learning_rate)
    _check_code("fit", encode)
    _check_options(loss, seed, validation, regulariser=regulariser, augment=augment, progress=progress)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, epochs * math.ceil(len(inputs) / batch_size))
    history = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for epoch in range(1, epochs + 1):
            start, total = time.perf_counter(), 0.0
            net.train()
            for batch in torch.randperm(len(inputs)).split(batch_size):
                x = encode(inputs[batch] if augment is None else augment(inputs[batch]))
                if slice_size is None:
                    slice_size, value = _first_step(net, x, targets[batch], loss, optimiser, regulariser)
                else:
                    value = _improve("fit", net, x, targets[batch], loss, optimiser, regulariser, slice_size)
                total += len(batch) * value
                schedule.step()
            history.append({"epoch": epoch, "loss": total / len(inputs), "seconds": time.perf_counter() - start})
            if validation is not None:
                history[-1]["accuracy"] = accuracy(net, *validation, encode=encode)
            if progress is not None:
                progress(history[-1])
    return history


def _first_step(net, x, target, loss, optimiser, regulariser):
    """Make the first step, unsliced, and return (slice size from then on, loss); found from what it records."""
    sizes = []

    def watched(records, target):
        sizes.append(_slice_size(net, records, target, loss, regulariser))
        return loss(records, target)

    value = _improve("fit", net, x, target, watched, optimiser, regulariser, None)
    return sizes[0], value


def _slice_size(net, records, target, loss, regulariser):
    """Samples at a time that keep a layer's tensors in the cache; all of them where slices are not the same step."""
    samples, largest = records[-1].mem.shape[1], max(record.mem.numel() for record in records)
    slices = min(math.ceil(largest / SLICE_NUMBERS), samples)
    normalised = any(base.__module__ == "torch.nn.modules.batchnorm" for layer in net.modules() for base in type(layer).__mro__)
    if slices == 1 or normalised or not _averages(records, target, loss, regulariser):
        return samples
    return math.ceil(samples / slices)


def _averages(records, target, loss, regulariser):
    """Tell whether loss and regulariser of up to 32 samples are the means of those of each, as they are and at the extremes."""
    samples = min(32, len(target))
    full = torch.arange(samples) > 0                                                   # all fire always, but the first never
    with torch.no_grad(), torch.random.fork_rng():
        for fires in (None, full, ~full):
            each = [_prices(records, target, slice(n, n + 1), fires, loss, regulariser) for n in range(samples)]
            for whole, parts in zip(_prices(records, target, slice(samples), fires, loss, regulariser), zip(*each)):
                if not math.isclose(whole, sum(parts) / samples, rel_tol=1e-5):
                    return False
    return True


def _prices(records, target, part, fires, loss, regulariser):
    """Loss and regulariser of some samples; each fires at every step or never if `fires` [samples] says so."""
    chosen = []
    for record in records:
        spk, mem = None if record.spk is None else record.spk[:, part], record.mem[:, part]
        if fires is not None:
            mem = torch.zeros_like(mem) + fires[part].view(-1, *[1] * (mem.dim() - 2)).to(mem)
        chosen.append(record._replace(spk=spk if spk is None or fires is None else mem, mem=mem))
    return [value.item() for value in [loss(chosen, target[part])] + ([regulariser(chosen)] if regulariser else [])]


def predict(net, inputs, *, encode, batch_size=500, seed=0):
    """Name the class of each sample: the output that spiked most or, if the read-out never fires, had the highest membrane.

    class = argmax over c of sum over t of spk[t, c]    (or mem[t, c]); among equals the lowest number wins

    Args:
        net: a network that takes [T, B, ...] and returns a list of `Record`, one a layer.
        inputs: samples, [samples, ...].
        encode: function that turns a batch [B, ...] into input [T, B, ...].
        batch_size: samples at a time; no gradient is kept, so memory stays small.
        seed: of what encode draws from torch's global generator, which is left as it was.

    Returns:
        Class numbers, [samples], int64.

    Raises:
        TypeError: inputs not a tensor, encode no function.
        ValueError: batch_size less than 1.

    Source: Eshraghian et al. (2023), section III-B, rate-coded output.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> _ = torch.manual_seed(0)
    >>> predict(SpikingMLP((20, 50, 2)), torch.rand(7, 20), encode=lambda x: direct_current(x, num_steps=5)).shape
    torch.Size([7])
    """
    check_tensor("predict", "inputs", inputs, "[samples, ...]")
    check_whole("predict", batch_size=batch_size)
    _check_code("predict", encode)
    training, labels = net.training, []
    net.eval()
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        for batch in inputs.split(batch_size):
            spk, mem = net(encode(batch))[-1]
            labels.append((mem if spk is None else spk).sum(0).argmax(1))                      # [B]
    net.train(training)
    return torch.cat(labels)


def accuracy(net, inputs, targets, *, encode, batch_size=500, seed=0):
    """Measure the fraction of samples that the network names rightly.

    accuracy = mean of (predict(inputs) == targets)

    Args:
        net, inputs, encode, batch_size, seed: as in `predict`.
        targets: class numbers, [samples], int64.

    Returns:
        A float between 0 and 1; its standard error is sqrt(p (1-p) / samples).

    Raises:
        TypeError: inputs or targets not tensors, targets not int64.
        ValueError: shapes that do not fit, batch_size less than 1.

    Source: Eshraghian et al. (2023), section III-B.

    >>> from snnteach.networks import SpikingMLP, direct_current
    >>> x, net = torch.rand(7, 20), SpikingMLP((20, 50, 2))
    >>> def encode(x): return direct_current(x, num_steps=5)
    >>> accuracy(net, x, predict(net, x, encode=encode), encode=encode)
    1.0
    """
    _check_data("accuracy", inputs, targets)
    return (predict(net, inputs, encode=encode, batch_size=batch_size, seed=seed) == targets).double().mean().item()

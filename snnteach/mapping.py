"""Making a network fit: synapses pruned away, and neurons placed on cores that hold only so many of both."""
import torch

from ._arguments import (
    check_dtype,
    check_fraction,
    check_generator,
    check_net,
    check_not_negative,
    check_shape,
    check_tensor,
    check_that,
    check_whole,
)


def _check_placed(owner, net):
    check_net(owner, net)
    check_that(owner, isinstance(getattr(net, "linears", None), torch.nn.ModuleList) and len(net.linears) > 0,
               "net must have its layers in net.linears, as SpikingMLP and ReluMLP do, such as SpikingMLP((784, 300, 10)), got "
               f"{type(net).__name__}.", TypeError)


def magnitude_masks(net, sparsity):
    """Choose the synapses that stay when a share of all, those with the smallest weights, is pruned.

    mask_l[i, j] = 1 unless |W_l[i, j]| is among the smallest  sparsity * (number of weights)  of all layers together

    Args:
        net: a `SpikingMLP` or a `ReluMLP`.
        sparsity: share of the weights to prune, between 0 and 1.

    Returns:
        A list of masks, 0 or 1, one a layer, of the shape and type of its weights; `apply_masks` uses them.

    Raises:
        TypeError: net without `linears`, sparsity not a number.
        ValueError: sparsity outside [0, 1].

    Source: Han et al. (2015), arXiv:1506.02626.

    >>> from snnteach.energy import ReluMLP
    >>> net = ReluMLP((2, 2))
    >>> _ = torch.nn.init.constant_(net.linears[0].weight, 1.0)
    >>> with torch.no_grad(): _ = net.linears[0].weight[0].mul_(0.1)
    >>> magnitude_masks(net, 0.5)[0].tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    _check_placed("magnitude_masks", net)
    check_fraction("magnitude_masks", sparsity=sparsity)
    return _keep([linear.weight.detach().abs() for linear in net.linears], float(sparsity))


def random_masks(net, sparsity, generator=None):
    """Choose the synapses that stay at random: the control beside `magnitude_masks`.

    Args:
        net: a `SpikingMLP` or a `ReluMLP`.
        sparsity: share of the weights to prune, between 0 and 1.
        generator: torch.Generator of the choice; torch's global one by default.

    Returns:
        A list of masks, 0 or 1, one a layer, of the shape and type of its weights; together exactly so many zeros.

    Raises:
        TypeError: net without `linears`, sparsity not a number, generator not a torch.Generator.
        ValueError: sparsity outside [0, 1].

    Source: Han et al. (2015), arXiv:1506.02626, whose rule this leaves out.

    >>> from snnteach.energy import ReluMLP
    >>> random_masks(ReluMLP((4, 5)), 0.25)[0].sum().item()
    15.0
    """
    _check_placed("random_masks", net)
    check_fraction("random_masks", sparsity=sparsity)
    check_generator("random_masks", generator)
    return _keep([torch.rand(linear.weight.shape, generator=generator).to(linear.weight) for linear in net.linears],
                 float(sparsity))


def _keep(scores, sparsity):
    """Masks that leave out the share `sparsity` with the smallest scores, among equals the first."""
    flat = torch.cat([score.flatten() for score in scores])
    kept = torch.ones_like(flat)
    kept[flat.argsort(stable=True)[:round(sparsity * len(flat))]] = 0
    parts = kept.split([score.numel() for score in scores])
    return [part.view_as(score) for part, score in zip(parts, scores, strict=True)]


def apply_masks(net, masks):
    """Prune a network in place, and keep it pruned while it goes on learning.

    W_l = mask_l W_l,    dL/dW_l = mask_l dL/dW_l

    Args:
        net: a `SpikingMLP` or a `ReluMLP`; its weights are changed.
        masks: one a layer, 0 or 1, such as those of `magnitude_masks`.

    Returns:
        A list of handles, one a layer; handle.remove() lets its layer learn freely again.

    Raises:
        TypeError: net without `linears`, masks not a list of floating-point tensors.
        ValueError: as many masks as layers are not given, one has another shape or holds something other than 0 and 1.

    Source: Han et al. (2015), arXiv:1506.02626.

    >>> from snnteach.energy import ReluMLP
    >>> net = ReluMLP((4, 5))
    >>> handles = apply_masks(net, magnitude_masks(net, 0.5))
    >>> (net.linears[0].weight == 0).sum().item()
    10
    """
    _check_placed("apply_masks", net)
    _check_masks("apply_masks", net, masks)
    with torch.no_grad():
        for linear, mask in zip(net.linears, masks, strict=True):
            linear.weight.mul_(mask)
    return [linear.weight.register_hook(_Masked(mask)) for linear, mask in zip(net.linears, masks, strict=True)]


class _Masked:
    """A hook on a gradient; unlike a lambda it can be pickled with its network."""

    def __init__(self, mask):
        self.mask = mask

    def __call__(self, gradient):
        return gradient * self.mask


def _check_masks(owner, net, masks):
    check_that(owner, isinstance(masks, (list, tuple)), f"masks must be a list, one a layer, got {type(masks).__name__}.",
               TypeError)
    check_that(owner, len(masks) == len(net.linears),
               f"masks must be {len(net.linears)}, one a layer, got {len(masks)}.")
    for number, (linear, mask) in enumerate(zip(net.linears, masks, strict=True)):
        check_shape(owner, f"masks[{number}]", mask, linear.weight.shape, "like the weights of its layer")
        check_dtype(owner, f"masks[{number}]", mask, "the weights", linear.weight)
        check_that(owner, bool(((mask == 0) | (mask == 1)).all()), f"masks[{number}] must hold 0 and 1 and nothing else.")


def fill_cores(needs, neurons, synapses):
    """Fill the cores of a chip one after the other.

    A core takes the next neuron while it holds fewer than `neurons`, and while its synapses and those of the neuron are
    `synapses` at most; else the next core begins.

    Args:
        needs: synapses of each neuron, [N], int64, in the order in which they are placed.
        neurons: neurons that a core holds at most, at least 1.
        synapses: synapses that a core holds at most, at least 1.

    Returns:
        The number of each neuron's core, [N], int64; -1 for a neuron with more synapses than a core has.

    Raises:
        TypeError: needs not an int64 tensor.
        ValueError: needs not [N] or negative, neurons or synapses not whole numbers of at least 1.

    Source: the limits are those of Merolla et al. (2014), doi:10.1126/science.1254642, and Davies et al. (2018),
        doi:10.1109/MM.2018.112130359, in kind; the order is the plainest one.

    >>> fill_cores(torch.tensor([5, 5, 2, 9, 1]), neurons=3, synapses=10).tolist()
    [0, 0, 1, 2, 2]
    """
    check_tensor("fill_cores", "needs", needs, "[N] of numbers of synapses", dims=1)
    check_that("fill_cores", needs.dtype == torch.int64,
               f"needs must be int64 numbers of synapses, got {needs.dtype}. Convert with .long().", TypeError)
    check_not_negative("fill_cores", needs=needs)
    check_whole("fill_cores", neurons=neurons, synapses=synapses)
    return _filled(needs, neurons, synapses)


def _filled(needs, neurons, synapses):
    core, held, wired, placed = 0, 0, 0, []
    for need in needs.tolist():
        fits = need <= synapses
        if fits and (held == neurons or wired + need > synapses):
            core, held, wired = core + 1, 0, 0
        placed.append(core if fits else -1)
        held, wired = held + fits, wired + need * fits
    return torch.tensor(placed, dtype=torch.int64, device=needs.device)


def place_neurons(net, neurons, synapses):
    """Place the neurons of a network on cores, layer by layer, by `fill_cores`; inputs come from outside and lie on none.

    needs_l[i] = number of j with W_l[i, j] != 0

    Args:
        net: a `SpikingMLP` or a `ReluMLP`.
        neurons: neurons that a core holds at most, at least 1.
        synapses: synapses that a core holds at most, at least 1.

    Returns:
        The number of each neuron's core, [N], int64, one tensor a layer; -1 for a neuron with more synapses than a core has.

    Raises:
        TypeError: net without `linears`.
        ValueError: neurons or synapses not whole numbers of at least 1.

    Source: as `fill_cores`.

    >>> from snnteach.networks import SpikingMLP
    >>> place_neurons(SpikingMLP((6, 5, 2)), neurons=4, synapses=12)
    [tensor([0, 0, 1, 1, 2]), tensor([2, 3])]
    """
    _check_placed("place_neurons", net)
    check_whole("place_neurons", neurons=neurons, synapses=synapses)
    needs = [(linear.weight.detach() != 0).sum(1) for linear in net.linears]
    return list(_filled(torch.cat(needs), neurons, synapses).split([len(need) for need in needs]))

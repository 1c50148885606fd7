"""How far apart spike trains are: van Rossum's distance in closed form, Victor and Purpura's by dynamic programming."""
import torch

from ._arguments import check_affordable, check_finite, check_not_negative, check_numbers, check_signal, check_spikes


def van_rossum(spk, tau):
    """Measure van Rossum's distance between all samples: filter each train with an exponential, and compare the curves.

    D^2 = sum over neurons of 1/tau * integral of (f - g)^2,    f(t) = sum over spikes of exp(-(t - t_i) / tau) for t >= t_i
    1/tau * integral of f g = 1/2 * sum over pairs of spikes of exp(-(t_i - s_j) / tau), each difference without its sign

    One spike more adds 1/2 to D^2, and two single spikes far apart are at the distance 1.

    Args:
        spk: spikes or counts, [T, B, N] (time first).
        tau: time constant of the filter in steps, positive: spikes closer than this count as nearly the same.

    Returns:
        D, [B, B], of the type of spk, computed in float64.

    Raises:
        TypeError: spk not a floating-point tensor, tau not a number.
        ValueError: spk not [T, B, N], negative, NaN or infinity in it, tau not positive.

    Source: van Rossum (2001), doi:10.1162/089976601300014321; the sum over neurons is that of Houghton and Sen (2008),
    doi:10.1162/neco.2007.10-06-350, for neurons that are told apart.

    >>> spk = torch.zeros(5, 3, 1); spk[1, 0] = spk[2, 1] = 1      # a spike at 1, a spike at 2, silence
    >>> [round(d, 3) for d in (van_rossum(spk, tau=2.0) ** 2)[0].tolist()]        # 1 - exp(-1/2), and 1/2
    [0.0, 0.393, 0.5]
    """
    check_signal("van_rossum", "spk", spk, layout="[T, B, N] (time first)", dims=3)
    check_affordable("van_rossum", "spk", len(spk), len(spk))
    check_affordable("van_rossum", "spk", spk.shape[1], spk.shape[1])
    check_finite("van_rossum", "spk", spk, "Look for it where they were made.")
    check_not_negative("van_rossum", spk=spk)
    check_numbers("van_rossum", above=0, tau=tau)
    t, x = torch.arange(len(spk), dtype=torch.float64), spk.double()
    near = (-(t[:, None] - t).abs() / float(tau)).exp() / 2                                  # [T, T]
    product = torch.einsum("tbn,tcn->bc", torch.einsum("ts,sbn->tbn", near, x), x)           # [B, B]
    own, both = product.diagonal(), product + product.T
    return (own[:, None] + own - both).clamp(min=0).sqrt().to(spk.dtype)


def victor_purpura(spk, cost):
    """Measure Victor and Purpura's distance between all samples: the cheapest way to turn one train into the other.

    G[i, j] = min(G[i-1, j] + 1, G[i, j-1] + 1, G[i-1, j-1] + cost * distance in time of spike i and spike j)

    To delete or to add a spike costs 1, to move it by a step `cost`; distances of neurons are summed. At cost 0 the distance
    compares counts; above 2 a step only spikes in the same step are the same.

    Args:
        spk: spikes, 0 or 1, [T, B, N] (time first).
        cost: of moving a spike by a step, not negative.

    Returns:
        Distances, [B, B], of the type of spk, computed in float64.

    Raises:
        TypeError: spk not a floating-point tensor, cost not a number.
        ValueError: spk not [T, B, N] or not 0 and 1, cost negative.

    Source: Victor and Purpura (1996), doi:10.1152/jn.1996.76.2.1310.

    >>> spk = torch.zeros(9, 2, 1); spk[[1, 4], 0] = 1; spk[5, 1] = 1      # spikes at 1 and 4; a spike at 5
    >>> victor_purpura(spk, cost=0.25)[0].tolist()
    [0.0, 1.25]
    """
    check_signal("victor_purpura", "spk", spk, layout="[T, B, N] (time first)", dims=3)
    check_affordable("victor_purpura", "spk", len(spk) + 1, spk.shape[1], spk.shape[1])
    check_spikes("victor_purpura", "spk", spk)
    check_numbers("victor_purpura", low=0, cost=cost)
    total = torch.zeros(spk.shape[1], spk.shape[1], dtype=torch.float64)
    for trains in spk.detach().permute(2, 1, 0):                                             # [B, T] of a neuron
        kinds, kind = trains.unique(dim=0, return_inverse=True)                              # the same train counts once
        total += _edit_distances(kinds, float(cost))[kind[:, None], kind]
    return total.to(spk.dtype)


def _edit_distances(trains, cost):
    """The table G of all pairs of the trains [U, T] at once, row by row: [U, U]."""
    count = trains.sum(1).long()
    most = int(count.max())
    times = trains.argsort(dim=1, descending=True, stable=True)[:, :most].double()           # spikes first, in their order
    row = [torch.full((len(trains), len(trains)), float(j), dtype=torch.float64) for j in range(most + 1)]
    found = _at(row, count)                                                                  # for trains without a spike
    for i in range(1, most + 1):
        last, row = row, [torch.full_like(row[0], float(i))]
        for j in range(1, most + 1):
            moved = last[j - 1] + cost * (times[:, i - 1, None] - times[:, j - 1]).abs()
            row.append(torch.minimum(torch.minimum(last[j], row[-1]) + 1, moved))
        found = torch.where(count[:, None] == i, _at(row, count), found)
    return found


def _at(row, count):
    """Of each column v of a row of tables, the entry at the number of its spikes."""
    return torch.stack(row).gather(0, count.expand(1, len(count), -1))[0]

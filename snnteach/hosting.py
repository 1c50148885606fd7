"""One machine for many readers: how many fit into its memory, and how long they wait for its cores."""
import heapq
import math
from typing import NamedTuple

import torch

from ._arguments import check_fraction, check_generator, check_numbers, check_that, check_whole

MOST_READERS = 10**5


def readers_that_fit(memory, each, system=0.0):
    """Count the readers whose servers and kernels fit into a machine, each at its most.

    floor((memory - system) / each)

    Args:
        memory: of the machine, in MB.
        each: of one reader, in MB: server and kernels at their peak.
        system: what the machine needs for itself, in MB.

    Returns:
        A whole number, 0 where nobody fits.

    Raises:
        TypeError, ValueError: an argument not a number, memory or each not positive, system negative.

    Source: the rule of thumb of JupyterHub's guides, https://tljh.jupyter.org, with this course's own numbers.

    >>> readers_that_fit(16_000, 1000, system=1500)
    14
    """
    check_numbers("readers_that_fit", low=1e-6, high=1e15, memory=memory, each=each)
    check_numbers("readers_that_fit", low=0, high=1e15, system=system)
    return max(0, math.floor((float(memory) - float(system)) / float(each)))


def memory_needed(readers, idle, peak, share, certainty=0.99):
    """Find the memory that is enough with a given certainty where readers are at their peak now and then, independently.

    idle n + (peak - idle) k,    k the smallest number with P(Binomial(n, share) <= k) >= certainty

    Args:
        readers: n, each with a server and a kernel.
        idle, peak: of one reader, in MB.
        share: part of the time that a reader spends at the peak, 0 to 1.
        certainty: 0 to 1; at 1 everybody may be at the peak at once.

    Returns:
        Memory in MB, a float.

    Raises:
        TypeError, ValueError: an argument of a wrong kind or out of range, peak less than idle.

    Source: the binomial distribution; readers who do the same thing at once are not independent, and need the peak of all.

    >>> memory_needed(30, 400, 1000, 0.0), memory_needed(30, 400, 1000, 1.0), memory_needed(30, 400, 1000, 0.1)
    (12000.0, 30000.0, 16200.0)
    """
    check_whole("memory_needed", high=MOST_READERS, readers=readers)
    check_numbers("memory_needed", low=0, high=1e15, idle=idle, peak=peak)
    check_that("memory_needed", peak >= idle, f"peak must be at least idle, got {peak} and {idle}.")
    check_fraction("memory_needed", share=share, certainty=certainty)
    readers, share, sure = int(readers), float(share), float(certainty)
    below, busy = _log_binomial(readers, 0, share), 0
    while math.exp(below) < sure - 1e-12 and busy < readers:
        busy += 1
        below = _log_sum(below, _log_binomial(readers, busy, share))
    return float(idle) * readers + (float(peak) - float(idle)) * busy


def _log_binomial(readers, busy, share):
    """The logarithm of P(Binomial = busy)."""
    if share in (0, 1):
        return 0.0 if busy == readers * share else -math.inf
    ways = math.lgamma(readers + 1) - math.lgamma(busy + 1) - math.lgamma(readers - busy + 1)
    return ways + busy * math.log(share) + (readers - busy) * math.log1p(-share)


def _log_sum(a, b):
    high = max(a, b)
    return high if high == -math.inf else high + math.log(math.exp(a - high) + math.exp(b - high))


class Crowd(NamedTuple):
    """What readers on shared cores meet.

    Source: Erlang's model with finitely many sources; see `shared_cores`.

    >>> Crowd(busy=0.5, response=3.0, slowed=0.2).response
    3.0
    """

    busy: float                                              # part of the cores that computes, on average
    response: float                                          # seconds from the key to the result, on average
    slowed: float                                            # part of the starts that find no free core


def _check_crowd(owner, readers, cores, think, work, most_readers):
    check_whole(owner, high=most_readers, readers=readers)
    check_whole(owner, high=4096, cores=cores)
    check_numbers(owner, low=1e-6, high=1e9, think=think, work=work)


def shared_cores(readers, cores, think, work):
    """Compute what readers wait who think for a while, run a cell, and think again: a closed form.

    p_k ~ C(n, k) r^k                       for k <= cores cells that run at once,  r = work / think
    p_k ~ n! / (n - k)! / (c! c^(k - c)) r^k    beyond: they share the cores
    started cells a second  X = (n - mean k) / think,    response = mean k / X

    It holds for any distribution of thinking, and of work too where all running cells share the cores evenly, as an operating
    system does, each on one core at most.

    Args:
        readers: n.
        cores: c.
        think: mean seconds between a result and the next start.
        work: mean seconds of a core that a cell needs.

    Returns:
        A `Crowd`.

    Raises:
        TypeError, ValueError: readers or cores not whole numbers from 1, think or work not positive.

    Source: Gross et al. (2008), Fundamentals of Queueing Theory, section 2.8 (finite source); Baskett et al. (1975),
    doi:10.1145/321879.321887, on any distribution.

    >>> alone, crowded = shared_cores(1, 2, think=60, work=5), shared_cores(60, 2, think=60, work=5)
    >>> round(alone.response, 3), round(crowded.response, 1), round(crowded.busy, 3)
    (5.0, 90.0, 1.0)
    """
    _check_crowd("shared_cores", readers, cores, think, work, MOST_READERS)
    n, c, think, ratio = int(readers), int(cores), float(think), math.log(float(work) / float(think))
    weights = [0.0]
    for k in range(1, n + 1):                                 # log of p_k / p_0, one factor a step
        weights.append(weights[-1] + math.log(n - k + 1) - math.log(min(k, c)) + ratio)
    top = max(weights)
    chances = [math.exp(weight - top) for weight in weights]
    total = sum(chances)
    running = sum(k * chance for k, chance in enumerate(chances)) / total
    started = (n - running) / think
    starts = [(n - k) * chance for k, chance in enumerate(chances)]
    return Crowd(sum(min(k, c) * chance for k, chance in enumerate(chances)) / total / c, running / started,
                 sum(starts[c:]) / sum(starts))


def simulate_cores(readers, cores, think, work, *, starts=2000, varied=True, generator=None):
    """Let readers think and run cells, event by event; all running cells share the cores evenly.

    Args:
        readers, cores: whole numbers.
        think, work: mean seconds; thinking is exponential.
        starts: how many cells are finished before the count ends.
        varied: work exponential, or every cell the same.
        generator: torch.Generator of the random times.

    Returns:
        A `Crowd`, measured.

    Raises:
        TypeError, ValueError: an argument of a wrong kind or out of range.

    Source: event by event, as in Gross et al. (2008), Fundamentals of Queueing Theory, chapter 9.

    >>> found = simulate_cores(4, 2, 10, 5, starts=4000, generator=torch.Generator().manual_seed(0))
    >>> abs(found.response / shared_cores(4, 2, 10, 5).response - 1) < 0.05
    True
    """
    _check_crowd("simulate_cores", readers, cores, think, work, 1000)
    check_whole("simulate_cores", high=10**5, starts=starts)
    check_that("simulate_cores", varied in (True, False), f"varied must be True or False, got {varied!r}.", TypeError)
    check_generator("simulate_cores", generator)
    draws = torch.empty(2, int(starts) + int(readers) + 1).exponential_(generator=generator).double().tolist()
    thinks, works = [float(think) * t for t in draws[0]], [float(work) * (w if varied else 1.0) for w in draws[1]]
    thinking, running = sorted(thinks.pop() for _ in range(int(readers))), []         # heaps
    now, given, busy, waited, slowed, begun, ended = 0.0, 0.0, 0.0, 0.0, 0, 0, 0
    while ended < int(starts):
        speed = min(1.0, int(cores) / len(running)) if running else 0.0               # of each running cell
        end = now + (running[0][0] - given) / speed if running else math.inf
        start = thinking[0] if thinking else math.inf
        step = min(end, start) - now
        now, given, busy = now + step, given + step * speed, busy + step * min(len(running), int(cores))
        if end <= start:                                                              # given: core time of each cell so far
            given, since = heapq.heappop(running)
            waited, ended = waited + now - since, ended + 1
            heapq.heappush(thinking, now + thinks.pop())
        else:
            heapq.heappop(thinking)
            slowed, begun = slowed + (len(running) >= int(cores)), begun + 1
            heapq.heappush(running, (given + works.pop(), now))
    return Crowd(busy / now / int(cores), waited / ended, slowed / begun)


def all_at_once(readers, cores, work):
    """How long everybody waits where all start at the same moment and share the cores evenly.

    work * max(1, readers / cores)

    Args:
        readers, cores: whole numbers.
        work: seconds of a core that each needs.

    Returns:
        Seconds, a float: all end together.

    Raises:
        TypeError, ValueError: readers or cores not whole numbers from 1, work not positive.

    Source: counted.

    >>> all_at_once(30, 2, 25), all_at_once(2, 4, 25)
    (375.0, 25.0)
    """
    _check_crowd("all_at_once", readers, cores, 1.0, work, 10**9)
    return float(work) * max(1.0, int(readers) / int(cores))

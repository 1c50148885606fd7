"""A small convolutional network, as an ANN and with spikes, for the study of notebook 12."""
import torch
from torch import nn

from ...conversion import even_rate
from ...deep import NormOverTime, OverTime
from ...networks import Record
from ...neurons import lif


class Conv(nn.Module):
    """Eight filters, batch norm, rectified, pooled by the largest or the mean of 2 x 2, and read out."""

    def __init__(self, pool):
        super().__init__()
        self.conv, self.norm, self.last, self.pool = nn.Conv2d(1, 8, 5), NormOverTime(8), nn.Linear(8 * 144, 10), pool

    def forward(self, x):
        """Run over x [1, B, 784] and return one `Record`."""
        x = self.norm(OverTime(self.conv)(x.unflatten(2, (1, 28, 28)))).relu()[0]
        return [Record(None, self.last(self.pool(x, 2).flatten(1))[None])]


@torch.no_grad()
def spiking_conv(net, layer, pool, steps, scale, inputs, waits=False):
    """What the same network names with spikes; `waits` pools rates instead of spikes."""
    named = []
    for x in inputs.split(250):
        current = layer(x.unflatten(1, (1, 28, 28))) / scale
        if waits:
            pooled = pool(even_rate(current, steps), 2)
        else:
            began = torch.full_like(current, 0.5)
            spk = lif(current.expand(steps, *current.shape), 1.0, state=(began, torch.zeros_like(began)))[0]
            pooled = pool(spk.flatten(0, 1), 2).unflatten(0, (steps, -1)).mean(0)
        named.append(net.last(scale * pooled.flatten(1)).argmax(1))
    return torch.cat(named)

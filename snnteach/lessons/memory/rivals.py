"""What notebook 11's nets with delays are measured against outside of the spiking world: a convolution over time, and a GRU."""
import torch
from torch import nn


def _seed(generator):
    """The weights are drawn by PyTorch, from a seed of the generator's."""
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))


class Convolution(nn.Module):
    """Kernels over the last steps, rectified, their sum or highest value over time read out; [T, B, C] to logits."""

    delay = torch.zeros(())                                            # none to learn, for `nets.train_rows`

    def __init__(self, generator, inputs=4, kernels=16, steps=32, classes=4, read=torch.sum):
        super().__init__()
        _seed(generator)
        self.synapses, self.read = nn.Conv1d(inputs, kernels, steps, padding=steps - 1), read
        self.readout = nn.Linear(kernels, classes)

    def forward(self, x):
        return self.readout(self.read(torch.relu(self.synapses(x.permute(1, 2, 0))), 2))


class Gated(nn.Module):
    """A GRU whose last state is read out; [T, B, C] to logits."""

    delay = torch.zeros(())

    def __init__(self, generator, inputs=4, hidden=16, classes=4):
        super().__init__()
        _seed(generator)
        self.synapses, self.readout = nn.GRU(inputs, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        return self.readout(self.synapses(x)[1][0])

"""What notebook 04 lets you hear: two seconds each, small enough for a page, with words for readers who cannot hear them."""
import io
import math
import wave
from html import escape

import torch
from IPython.display import display

from ...plots.style import encoded

SAMPLES = 8000                            # a second


def wav(signal):
    """Write a signal between -1 and 1, [N], as the bytes of a WAV file of 8 bits."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(SAMPLES)
        file.writeframes((128 + 127 * signal.clamp(-1, 1)).round().byte().numpy().tobytes())
    return buffer.getvalue()


def tone(loudness, *, dt, pitch=1000.0):
    """Give a loudness in dB, [N], a sample each dt seconds, a pitch in Hz that it does not have itself."""
    time = torch.arange(int(len(loudness) * dt * SAMPLES + 0.5)).double() / SAMPLES
    envelope = 10 ** (loudness[(time / dt).long()] / 20)
    return envelope * torch.sin(2 * math.pi * pitch * time)


def clicks(spk, *, dt):
    """Let each spike of a train [T], a step each dt seconds, click for a millisecond."""
    signal = torch.zeros(int(len(spk) * dt * SAMPLES + 0.5) + SAMPLES // 1000)
    for step in spk.nonzero().flatten().tolist():
        start = int(step * dt * SAMPLES + 0.5)
        signal[start:start + SAMPLES // 1000] = torch.tensor([0.8, -0.8]).repeat_interleave(SAMPLES // 2000)
    return signal


def listen(sounds):
    """Show a button to hear each of {name: (signal, what it sounds like)}."""
    page = "".join(
        f'<p style="margin: .4em 0"><b>{escape(name)}</b>: {escape(words)}<br><audio controls preload="none" '
        f'aria-label="{escape(name)}" src="data:audio/wav;base64,{encoded(wav(signal))}"></audio></p>'
        for name, (signal, words) in sounds.items())
    text = "\n".join(f"A sound. {name}: {words}" for name, (_, words) in sounds.items())
    display({"text/html": page, "text/plain": text}, raw=True)

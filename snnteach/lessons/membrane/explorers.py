"""Explorers of notebook 01: a membrane under constant current, and a membrane under one pulse."""
import torch

from ...membrane import firing_rate, integrate_and_fire, step_response, strength_duration
from ...plots import COLORS, threshold_line
from ..kinds import Choice, Control, Explorer

_DT, _STEPS = 0.25e-3, 800                                               # 200 ms in steps of a quarter millisecond
_CURRENTS = torch.linspace(0, 4, 161)
_FASTEST = 252                                                           # spikes/s; what is faster stands at the edge


def compute_constant(current, tau, refractory):
    """Simulate 200 ms of constant current (in rheobases); the f-I curve of the same neuron is known up to this current."""
    seconds, dead = tau * 1e-3, refractory * 1e-3
    voltage, spikes = integrate_and_fire(torch.full((_STEPS,), float(current)), seconds, _DT, refractory=dead)
    currents = _CURRENTS[:1 + round(40 * current)]
    curve = [firing_rate(float(value), seconds, refractory=dead) for value in currents]
    return {"voltage": voltage, "spikes": spikes, "currents": currents, "curve": curve, "current": current,
            "rate": firing_rate(current, seconds, refractory=dead)}


def build_constant(fig):
    """Left the membrane, right the f-I curve with the point where this neuron stands."""
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    left.set(xlim=(0, 200), ylim=(0, 1.35), xlabel="time (ms)", ylabel="membrane potential / threshold")
    left.set_title("The membrane")
    threshold_line(left)
    right.set(xlim=(0, 4), ylim=(0, 260), xlabel="current (rheobases)", ylabel="firing rate (spikes/s)")
    right.set_title("f-I curve")
    return {
        "voltage": left.plot([], [], color=COLORS["blue"], linewidth=1.3)[0],
        "spikes": left.plot([], [], "|", color="black", markersize=9)[0],
        "curve": right.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "point": right.plot([], [], "o", color=COLORS["blue"], markersize=8)[0],
        "text": right.text(0.05, 0.93, "", transform=right.transAxes),
    }


def update_constant(artists, data):
    """Move the trace, the spikes, the curve and the point."""
    time = torch.arange(_STEPS) * _DT * 1e3
    fired = time[data["spikes"] > 0]
    artists["voltage"].set_data(time, data["voltage"])
    artists["spikes"].set_data(fired, torch.full_like(fired, 1.27))
    artists["curve"].set_data(data["currents"], data["curve"])
    artists["point"].set_data([data["current"]], [min(data["rate"], _FASTEST)])
    artists["point"].set_marker("o" if data["rate"] <= _FASTEST else "^")
    artists["text"].set_text(f"{data['rate']:.0f} spikes/s")


_PULSE_STEPS = 240                                                       # 60 ms
_LAW = ("hidden", "drawn")


def compute_pulse(width, strength, tau, law):
    """Apply one pulse (ms, rheobases) and find the strength-duration curve of the same membrane, unless it is hidden."""
    time = torch.arange(_PULSE_STEPS) * 0.25
    during = step_response(time.clamp(max=width), float(strength), tau)
    voltage = during * torch.exp(-(time - width).clamp(min=0) / tau)
    widths = torch.linspace(0.3, 30, 150 if law == _LAW[1] else 0)
    return {"time": time, "voltage": voltage, "widths": widths, "curve": strength_duration(widths, tau),
            "width": width, "strength": strength, "fires": bool(voltage.max() > 1) or
            strength > float(strength_duration(width, tau))}


def build_pulse(fig):
    """Left the membrane, right the strength-duration curve with this pulse as a point."""
    left, right = fig.subplots(1, 2)
    left.set(xlim=(0, 60), ylim=(0, 1.6), xlabel="time (ms)", ylabel="membrane potential / threshold")
    left.set_title("One pulse")
    threshold_line(left)
    right.set(xlim=(0, 30), ylim=(0, 10), xlabel="pulse width (ms)", ylabel="pulse strength (rheobases)")
    right.set_title("Strong enough?")
    return {
        "voltage": left.plot([], [], color=COLORS["blue"])[0],
        "pulse": left.plot([], [], color=COLORS["orange"], linewidth=5, solid_capstyle="butt")[0],
        "curve": right.plot([], [], color=COLORS["vermillion"], linestyle="--")[0],
        "point": right.plot([], [], "o", color=COLORS["blue"], markersize=8)[0],
        "text": right.text(0.4, 0.9, "", transform=right.transAxes, fontweight="bold"),
    }


def update_pulse(artists, data):
    """Move the trace, the pulse, the curve and the point."""
    artists["voltage"].set_data(data["time"], data["voltage"])
    artists["pulse"].set_data([0, data["width"]], [0.03, 0.03])
    artists["curve"].set_data(data["widths"], data["curve"])
    artists["point"].set_data([data["width"]], [data["strength"]])
    artists["text"].set_text("it fires" if data["fires"] else "it does not fire")


EXPLORERS = {
    "constant": Explorer(
        compute_constant, build_constant, update_constant,
        controls={"current": Control(1.5, 0.0, 4.0, 0.05, "current", "rheobases"),
                  "tau": Control(20.0, 5.0, 50.0, 1.0, "time constant", "ms"),
                  "refractory": Control(2.0, 0.0, 10.0, 0.5, "dead time", "ms")},
        sweeps=(("current", {}),),
        alt="Left, a membrane that charges towards its threshold, fires and starts again; right, its firing rate as a point at "
            "the end of the curve of rate against current, drawn as far as you have come. Below one rheobase it is silent."),
    "pulse": Explorer(
        compute_pulse, build_pulse, update_pulse,
        controls={"width": Control(10.0, 0.5, 30.0, 0.5, "pulse width", "ms"),
                  "strength": Control(2.0, 0.2, 10.0, 0.1, "pulse strength", "rheobases"),
                  "tau": Control(20.0, 5.0, 50.0, 1.0, "time constant", "ms"),
                  "law": Choice(_LAW[0], _LAW, "Eq. 5")},
        sweeps=(("width", {"law": _LAW[1]}), ("strength", {"law": _LAW[1]})),
        alt="Left, a membrane under one current pulse; right, the pulse as a point, width against strength, and whether "
            "it fires the neuron. Eq. 5, where it is drawn, parts the pulses that fire from those that do not."),
}

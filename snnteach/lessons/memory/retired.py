"""What notebook 11 asks no more; older copies of it, and what readers solved, still find it under the same ids."""
from ..kinds import Guess, Misconception

ADAPTED = dict(
    difficulty="easy", minutes=5, tolerance=2e-3,
    question="An adaptive neuron with kappa = 2 and a threshold of 1 at rest fires at a rate of 0.2 per step for a long "
             "time. "
             "What is its mean threshold?",
    reference=1.4,
    property="The trace forgets and gains: on average it is as large as the rate, whatever rho.",
    hints=("On average the trace neither grows nor shrinks: set a = rho a + (1 - rho) S, with averages on both sides.",
           "The mean trace is the rate, 0.2. The threshold adds kappa times the trace to 1."),
    misconceptions=(
        Misconception(0.4, "that is what is added to the threshold at rest."),
        Misconception(3.0, "that is the threshold of a neuron that fires at every step."),
        Misconception(1.2, "you added the rate and forgot kappa."),
        Misconception(1.1, "0.2 / 2: the trace is multiplied by kappa."),
        Misconception(2.4, "the threshold at rest is 1, and kappa stands only before the trace."),
        Misconception(1.0, "that is the threshold of a neuron that has not fired for long."),
        Misconception(0.2, "that is the mean of the trace. What does it do to the threshold?"),
    ),
    solution="The mean trace equals the rate, 0.2; the mean threshold is 1 + 2 * 0.2 = 1.4.")

LEAST_WEIGHT = dict(
    difficulty="easy", minutes=4, tolerance=2e-4,
    question="A neuron with beta = 0.8 and a threshold of 1 sends its spikes back to itself. Above which weight V does one "
             "spike keep it firing at every step for ever?",
    reference=1.2,
    property="It has to pay for the reset of a spike and for the leak of one threshold.",
    hints=("Where it fires at every step for ever, the potential stands still: U = beta U + V - 1.",
           "U = (V - 1) / (1 - beta), and this must lie above the threshold."),
    misconceptions=(
        Misconception(1.0, "that pays for the reset, and nothing for the leak."),
        Misconception(0.2, "that pays for the leak, and nothing for the reset."),
        Misconception(1.8, "the leak takes 1 - beta of the threshold, not beta."),
        Misconception(0.8, "what remains of the threshold is kept anyway. What is lost has to be paid: reset and leak."),
        Misconception(1.25, "1 / beta: nothing is divided here. At every step U becomes beta U + V - 1."),
        Misconception(1.1, "that holds for beta = 0.9. Here the leak takes 0.2."),
    ),
    solution="U = beta U + V - 1 gives U = (V - 1) / 0.2, which lies above 1 where V > 1.2.")

SHARPNESS = Guess(
    question="A recurrent layer of 40 neurons with $\\beta = 0.9$ is to recall the cue. Its surrogate, the stand-in for "
             "the slope at a spike, is narrower for larger $k$ and decides how much of a gradient survives one step back "
             "through the untrained layer: 0.98 of it with $k = 1$, 0.93 with $k = 2$. Over the 60 steps of the gap that "
             "is about 30 % against 1 %. Three seeds each: which learns?",
    choices=("$k = 1$: more of its gradient arrives", "$k = 2$, although less arrives", "neither: both stay at chance"),
    right="$k = 2$, although less arrives",
    explanation="All three seeds learn it with $k = 2$, one of three with $k = 1$. The optimiser rescales a small "
                "gradient.\n\nDo not take this for a rule: over 120 steps two of three seeds learn with $k = 1$, "
                "and none with $k = 2$. The size of a gradient before training does not tell what a network can become.")

PAYS_FOR_ITSELF = Guess(
    question="A neuron with $\\beta = 0.9$ sends each spike back to itself with weight $V = 1$: exactly what the reset "
             "takes away. "
             "You kick it once, with 1.5. What happens?",
    choices=("it fires for ever: every spike pays for its reset", "it fires a few times and falls silent",
             "it fires once"), right="it fires a few times and falls silent",
    explanation="The reset is paid, and the leak is not: at every step a tenth of the potential is lost, so that 1.5 "
                "becomes "
                "1.35, 1.22, 1.09, and then 0.98. To last, a spike has to pay for the leak of one threshold, too.",
    explorer="memory.latch", settings={"weight": 1.0}, shown=lambda data: 1 < data["count"] < 20)

"""Numbers, most of them ordinary and some absurd: powers of two and their neighbours, the ends of the ranges of integers and of floating point."""
import random

POWERS = [1 << k for k in range(64)]
ABSURD = [0, -1, *POWERS, *[power - 1 for power in POWERS], *[power + 1 for power in POWERS], 1 << 64, -(1 << 63), 1e308, -1e308, 5e-324, 1e-300, 0.5, -0.0, 1e15,
          1e-9, 1e19]


class Numbers:
    """The random numbers of one request."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        # One number in so many is absurd.
        self.absurdity = rng.choice([0, 0.003, 0.02, 0.1])

    def number(self) -> float:
        if self.rng.random() < self.absurdity:
            return self.rng.choice(ABSURD)
        return self.rng.choice([0, 1, 2, 0.5, -1, 0.1, 3.25, round(self.rng.gauss(0, 1), 3)])

    def integer(self, low: int = 1, high: int = 4) -> int:
        if self.rng.random() < self.absurdity:
            return int(self.rng.choice(ABSURD))
        return self.rng.randint(low, high)

    def some(self, **fields: object) -> dict:
        return {name: value for name, value in fields.items() if self.rng.random() < 0.25}

    def array(self, shape: list[int]) -> object:
        return [self.array(shape[1:]) for _ in range(shape[0])] if shape else self.number()

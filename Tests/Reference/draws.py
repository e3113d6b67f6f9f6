"""Random points and requests without habits: any scale, near duplicates, opposites, zeros, masks."""

import json
import math

from architectures import Drawing


def numbers(random, count):
    kind = random.random()
    if kind < 0.5:
        return [random.gauss(0, 1) for _ in range(count)]
    if kind < 0.7:
        return [round(random.gauss(0, 1), 1) for _ in range(count)]
    if kind < 0.85:
        return [random.choice([0.0, 0.0, random.gauss(0, 1)]) for _ in range(count)]
    return [float(random.choice([-1, 0, 1])) for _ in range(count)]


def points(random, count, size):
    """Points of `size` numbers, some of which repeat, nearly repeat, oppose or multiply others."""
    mode = random.random()
    scale = 1.0 if mode < 0.5 else 10 ** random.uniform(-8, 8) if mode < 0.8 else 10 ** random.uniform(-150, 150)
    unequal = random.random() < 0.35
    spread = random.choice([2, 9, 20])
    result = []
    for _ in range(count):
        kind = random.random()
        if result and kind < 0.3:
            width = 10 ** -random.uniform(1, 16)
            point = [x * (1 + width * random.gauss(0, 1)) for x in random.choice(result)]
        elif result and kind < 0.4:
            point = list(random.choice(result))
        elif result and kind < 0.5:
            factor = random.choice([-1, 2, 0.3, -1e-3, random.gauss(0, 3)])
            point = [x * factor for x in random.choice(result)]
        elif kind < 0.54:
            point = [0.0] * size
        else:
            point = [x * scale for x in numbers(random, size)]
            if unequal:
                point = [x * 10 ** random.uniform(-spread, spread) for x in point] if random.random() < 0.3 else point
                factor = 10 ** random.uniform(-spread, spread)
                point = [x * factor for x in point]
        result.append([x if abs(x) > 1e-155 else 0.0 for x in point])
    return result


def request(random, has_positions, numerical):
    """A request for kernels: architecture, points, patterns."""
    if has_positions:
        shape = random.choice([[random.randint(1, 6)], [random.randint(1, 4), random.randint(1, 3)], [2, 2, random.randint(1, 2)]])
        channels = random.choice([1, 1, 2, 3])
    else:
        shape, channels = [], random.choice([1, 2, 3, 5])
    drawing = Drawing(random, shape, channels, numerical)
    count = random.randint(2, 3 if has_positions else 5)
    size = math.prod(shape) * channels
    flat = points(random, count, size)
    if random.random() < 0.15:
        # A mask belongs to a position, all its channels at once.
        for point in flat:
            for position in range(size // channels):
                if random.random() < 0.25:
                    point[position * channels : (position + 1) * channels] = [None] * channels

    def shaped(values, extents):
        if len(extents) == 1:
            return values
        part = len(values) // extents[0]
        return [shaped(values[i * part : (i + 1) * part], extents[1:]) for i in range(extents[0])]

    x = [shaped(point, [*shape, channels]) for point in flat]
    second = random.randint(1, count - 1) if random.random() < 0.4 else count
    body = {"architecture": drawing.architecture, "x1": x[:second], "kinds": ["nngp", "ntk"]}
    if second < count:
        body["x2"] = x[second:]
    # A block that was drawn and left out may have had the only graph.
    if drawing.nodes and '"aggregate"' in json.dumps(drawing.architecture):
        entry = random.choice([lambda: random.choice([0, 1]), lambda: round(random.gauss(0, 1), 2)])
        patterns = [[[entry() for _ in range(drawing.nodes)] for _ in range(drawing.nodes)] for _ in range(count)]
        body["pattern1"] = patterns[:second]
        if second < count:
            body["pattern2"] = patterns[second:]
    if random.random() < 0.15:
        body["precision"] = "float32"
    return body

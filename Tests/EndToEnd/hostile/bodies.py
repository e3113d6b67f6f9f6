"""Bodies of each endpoint, whose arrays fit each other and their networks."""
from .architectures import Architectures
from .numbers import Numbers


class Bodies:
    def __init__(self, numbers: Numbers):
        self.numbers, self.rng, self.architectures = numbers, numbers.rng, Architectures(numbers)

    def fitting(self, path: str) -> object:
        rng = self.rng
        extents = [rng.choice([1, 2, 3, 4, 6]) for _ in range(rng.choice([0, 0, 0, 1, 2, 2, 3]))]
        channels = rng.choice([1, 1, 2, 3])
        points = lambda: self.numbers.array([rng.choice([1, 2, 3, 5]), *extents, channels])
        infinite = lambda: self.architectures.architecture(list(extents), False)
        network = lambda: {"architecture": self.architectures.architecture(list(extents), True), "initialization": {"seed": rng.randrange(5)}}
        train = points()
        targets = {"y_train": self.numbers.array([len(train)])} if rng.random() < 0.8 else {"labels": [rng.choice(["a", "b", 1]) for _ in train]}
        source = {"architecture": infinite()} if rng.random() < 0.8 else {"network": network()}
        fit = {"kernel": source, "x_train": train, **targets, "ridge": rng.choice([0, 1e-6, 0.1, self.numbers.number()])}
        match path:
            case "/v1/kernels":
                return {"architecture": infinite(), "x1": train, **self.numbers.some(x2=points(), kinds=["nngp", "ntk"], precision="float32", diagonal=True)}
            case "/v1/predictions":
                return {**fit, "x_test": points(), **self.numbers.some(
                    covariance=rng.choice(["diagonal", "full"]), posterior="ensemble", solver="conjugate_gradient", on_singular=rng.choice(["jitter", "refuse"]),
                    ridge={"select": rng.choice(["leave_one_out", "gcv", "marginal_likelihood"])})}
            case "/v1/regressors":
                return fit
            case "/v1/dynamics":
                fit.pop("ridge")
                return {**fit, "x_test": points(), "times": [self.numbers.number() for _ in range(3)], **self.numbers.some(
                    target_loss=self.numbers.number(), covariance="diagonal", optimizer={"type": rng.choice(["gradient_descent", "gradient_flow", "heavy_ball"]),
                                                                               "learning_rate": self.numbers.number()})}
            case "/v1/spectra":
                return {"kernel": source, "x": train, **self.numbers.some(y=self.numbers.array([len(train)]), ridge=self.numbers.number(), sample_sizes=[self.numbers.integer(1, 100)],
                                                                  noise=self.numbers.number())}
            case "/v1/networks":
                return {**network(), **self.numbers.some(input_shape=[*extents, channels])}
            case "/v1/empirical-kernels":
                return {"network": network(), "x1": train, **self.numbers.some(x2=points(), outputs=rng.choice(["sum", "full", "diagonal", [0]]), layerwise=True)}
            case "/v1/network-outputs":
                return {"network": network(), "x": train}
            case "/v1/gradient-features":
                return {"network": network(), "x": train, "outputs": [0], "dimension": self.numbers.integer(1, 300),
                        **self.numbers.some(projection=rng.choice(["rademacher", "gaussian"]), seed=self.numbers.integer(0, 9))}
            case "/v1/convergence":
                return {"architecture": infinite(), "x": train, "widths": [self.numbers.integer(1, 8)], "samples": self.numbers.integer(2, 3)}
            case "/v1/finite-width":
                return {"architecture": infinite(), "x1": train, **self.numbers.some(widths=[self.numbers.integer(1, 99)], tolerance=self.numbers.number())}
            case "/v1/learning-curves":
                return {"kernel": {"architecture": infinite()}, "x": train * 9, "y": self.numbers.array([9 * len(train)]), "sample_sizes": [1, 10, 1e3],
                        **self.numbers.some(ridge=self.numbers.number(), features=self.numbers.number(), target_error=self.numbers.number())}
            case "/v1/trainings":
                return {"network": network(), "x_train": train, "y_train": self.numbers.array([len(train)]), "steps": sorted({self.numbers.integer(0, 9) for _ in range(3)}),
                        **self.numbers.some(learning_rate=self.numbers.number(), momentum=0.5)}
            case "/v1/regressors/{id}/predictions":
                return {"x": points(), **self.numbers.some(covariance="diagonal")}
        return None

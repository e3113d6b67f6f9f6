import Jobs
import Metrics
import NTKService

/// Shows what was found damaged in the data directory.
enum StorageMetrics {
    static func register(_ networks: NetworkStore, _ regressors: RegressorLibrary, _ jobs: JobBoard, in registry: MetricRegistry) {
        registry.observed("ntk_damaged_artifacts_total", "What was found damaged in the data directory, by its kind.", .counter, by: "kind") {
            [
                (LabelValue(Kind.network), networks.damages), (LabelValue(Kind.regressor), regressors.damages), (LabelValue(Kind.job), jobs.damages),
            ]
        }
    }

    private enum Kind: String, CaseIterable { case network, regressor, job }
}

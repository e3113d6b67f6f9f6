// Figures of the numeric core and the codec, each beside the machine's limit in the same run.
//
// usage: ntk-benchmark [kernel|codec|empirical|all|regression [n]]

import Foundation

let choice = CommandLine.arguments.dropFirst().first ?? "all"
if choice == "kernel" || choice == "all" { try KernelBenchmark.run() }
if choice == "codec" || choice == "all" { try CodecBenchmark.run() }
if choice == "empirical" { try EmpiricalBenchmark.run() }
if choice == "regression" { try RegressionBenchmark.run(n: CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 10_000) }

// Figures of the numeric core and the codec, each beside the machine's limit in the same run.
//
// usage: ntk-benchmark [kernel|codec|empirical|all]

import Foundation

let choice = CommandLine.arguments.dropFirst().first ?? "all"
if choice == "kernel" || choice == "all" { try KernelBenchmark.run() }
if choice == "codec" || choice == "all" { try CodecBenchmark.run() }
if choice == "empirical" { try EmpiricalBenchmark.run() }

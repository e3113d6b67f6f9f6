import ArgumentParser
import NTKService

@main
struct NTKServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ntk-server",
        abstract: "Neural tangent kernels over HTTP.",
        version: NTKService.version,
        subcommands: [Serve.self, Health.self, HashKey.self])
}

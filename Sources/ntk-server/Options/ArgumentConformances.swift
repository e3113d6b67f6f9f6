import ArgumentParser
package import Gateway
package import Logs

extension LogFormat: ExpressibleByArgument {}

extension RateLimit: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

public import ArgumentParser
public import Logging

// Neither package knows the other, and no later version of one can come in unnoticed: the conformance is safe here.
// swift-format-ignore: AvoidRetroactiveConformances
extension Logger.Level: @retroactive ExpressibleByArgument {}

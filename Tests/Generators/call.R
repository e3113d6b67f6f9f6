# Calls a server with a client that openapi-generator made in R: call.R LIBRARY URL
#
# The generator knows no unions that may be any JSON, and takes an optional parameter that is absent for one of no value: what it can ask for
# are records.
arguments <- commandArgs(trailingOnly = TRUE)
suppressMessages(library(openapi, lib.loc = arguments[[1]]))
client <- ApiClient$new(base_path = arguments[[2]])
version <- OperationsApi$new(client)$GetVersion()
stopifnot(version$name == "ntk-server", nchar(version$version) > 0)
inference <- KserveApi$new(client)$GetInferenceServer()
stopifnot(inference$name == version$name, inference$version == version$version)
cat("R: the version is that of the server\n")

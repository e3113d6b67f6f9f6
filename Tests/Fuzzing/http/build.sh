# The request parser.
module HTTPTypes "$checkouts"/swift-http-types/Sources/HTTPTypes/*.swift
module HTTP1 "$root"/Sources/HTTP1/*.swift
fuzzer "$here/http/Fuzz.swift" "$root/Tests/HTTP1Tests/ParserHarness.swift" "$out/HTTP1.o" "$out/HTTPTypes.o"

# The content of requests in gzip.
flags+=(-Xcc "-fmodule-map-file=$root/Sources/CZlib/module.modulemap")
module HTTPTypes "$checkouts"/swift-http-types/Sources/HTTPTypes/*.swift
module HTTP1 "$root"/Sources/HTTP1/*.swift
module ContentCoding "$root"/Sources/ContentCoding/{ContentCodingConfiguration,GzipReader,GzipWriter}.swift
fuzzer "$here/gzip/Fuzz.swift" "$out/ContentCoding.o" "$out/HTTP1.o" "$out/HTTPTypes.o" -lz

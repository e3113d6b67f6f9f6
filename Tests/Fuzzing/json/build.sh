#!/bin/sh
# Builds the fuzz target of the JSON reader with AddressSanitizer and UndefinedBehaviorSanitizer, and runs it if asked to:
#   Tests/Fuzzing/json/build.sh [seconds]
set -eu
cd "$(dirname "$0")/../../.."
out=.build/fuzzing
mkdir -p "$out/corpus-json"
"${CXX:-clang++}" -std=c++17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I Sources/CSimdJSON/include Sources/CSimdJSON/*.cpp Tests/Fuzzing/json/json.cpp -lsimdjson -fuse-ld=lld -o "$out/json"
if [ $# -gt 0 ]; then
    # New inputs go to the scratch folder; the first folder is the one that grows.
    ASAN_OPTIONS=detect_leaks=0 "$out/json" -max_total_time="$1" -max_len=4096 -dict=Tests/Fuzzing/json/json.dict \
        -artifact_prefix="$out/" "$out/corpus-json" Tests/Fuzzing/corpus/json
fi

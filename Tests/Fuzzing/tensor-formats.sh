# Sourced by the build.sh of each array format: TensorFormats and what it stands on, instrumented, made once for all of them.
formats="$root/.build-fuzz/TensorFormats"
mkdir -p "$formats"
flags+=(-I "$formats" -Xcc "-fmodule-map-file=$root/Sources/CZlib/module.modulemap" -Xcc "-fmodule-map-file=$formats/module.modulemap")
if [ ! -e "$formats/done" ] || [ -n "$(find "$root"/Sources/{TensorFormats,Locks,CThreadSanitizer,CSimdJSON} -type f -newer "$formats/done")" ]; then
    {
        printf 'module CSimdJSON { header "%s" export * }\n' "$root/Sources/CSimdJSON/include/simdjson_face.h"
        printf 'module CThreadSanitizer { header "%s" export * }\n' "$root/Sources/CThreadSanitizer/include/thread_sanitizer.h"
    } > "$formats/module.modulemap"
    for source in "$root"/Sources/CSimdJSON/*.cpp; do
        "${CXX:-clang++}" -std=c++17 -g -O1 -fsanitize=address -fsanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp \
            -I "$root/Sources/CSimdJSON/include" -c "$source" -o "$formats/$(basename "$source").o"
    done
    "${CC:-clang}" -g -O1 -fsanitize=address -I "$root/Sources/CThreadSanitizer/include" -c "$root/Sources/CThreadSanitizer/thread_sanitizer.c" \
        -o "$formats/thread_sanitizer.o"
    own="$out" out="$formats"
    module Locks "$root"/Sources/Locks/*.swift
    module TensorFormats "$root"/Sources/TensorFormats/*.swift
    out="$own"
    touch "$formats/done"
fi
# format SOURCE: links a fuzzer with the formats.
format() { fuzzer "$1" "$formats"/*.o -lz -lsimdjson -lstdc++; }

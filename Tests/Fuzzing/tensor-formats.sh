# Sourced by the build.sh of each array format: TensorFormats and what it stands on, instrumented, made once for all of them.
formats="$root/.build-fuzz/TensorFormats"
mkdir -p "$formats"
flags+=(-I "$formats" -Xcc "-fmodule-map-file=$root/Sources/CZlib/module.modulemap" -Xcc "-fmodule-map-file=$formats/module.modulemap")
if [ ! -e "$formats/done" ] || [ -n "$(find "$root"/Sources/{TensorFormats,CSimdJSON} -type f -newer "$formats/done")" ]; then
    printf 'module CSimdJSON { header "%s" export * }\n' "$root/Sources/CSimdJSON/include/simdjson_face.h" > "$formats/module.modulemap"
    for source in "$root"/Sources/CSimdJSON/*.cpp; do
        "${CXX:-clang++}" -std=c++17 -g -O1 -fsanitize=address -fsanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp \
            -I "$root/Sources/CSimdJSON/include" -c "$source" -o "$formats/$(basename "$source").o"
    done
    own="$out" out="$formats"
    # The readers: the writers take matrices, and so all of LinearAlgebra.
    module TensorFormats "$root"/Sources/TensorFormats/{FormatError,JSON*,Multipart,Npy,NpyHeader,Npz,Safetensors}.swift
    out="$own"
    touch "$formats/done"
fi
# format SOURCE: links a fuzzer with the formats.
format() { fuzzer "$1" "$formats"/*.o -lz -lsimdjson -lstdc++; }

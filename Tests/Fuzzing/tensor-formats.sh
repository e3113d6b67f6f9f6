# Sourced by the build.sh of each array format: TensorFormats and what it stands on, instrumented, made once for all of them.
formats="$root/.build-fuzz/TensorFormats"
mkdir -p "$formats"
flags+=(-I "$formats" -Xcc "-fmodule-map-file=$formats/module.modulemap")
for library in CDeflate COpenBLAS CZlib; do flags+=(-Xcc "-fmodule-map-file=$root/Sources/$library/module.modulemap"); done
if [ ! -e "$formats/done" ] || [ -n "$(find "$root"/Sources/{TensorFormats,LinearAlgebra,Locks,CSimdJSON,CCompensatedSums,CSupport} -type f -newer "$formats/done")" ]; then
    {
        printf 'module %s { header "%s" export * }\n' CSimdJSON "$root/Sources/CSimdJSON/include/simdjson_face.h" \
            CCompensatedSums "$root/Sources/CCompensatedSums/include/compensated_sums.h"
        printf 'module CSupport { umbrella "%s" export * }\n' "$root/Sources/CSupport/include"
    } > "$formats/module.modulemap"
    for source in "$root"/Sources/{CCompensatedSums,CSupport}/*.c; do
        "${CC:-clang}" -g -O1 -ffp-contract=off -I "$root/Sources/CCompensatedSums/include" -I "$root/Sources/CSupport/include" \
            -c "$source" -o "$formats/$(basename "$source" .c).o"
    done
    for source in "$root"/Sources/CSimdJSON/*.cpp; do
        "${CXX:-clang++}" -std=c++17 -g -O1 -fsanitize=address -fsanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp \
            -I "$root/Sources/CSimdJSON/include" -c "$source" -o "$formats/$(basename "$source").o"
    done
    own="$out" out="$formats"
    module Locks "$root"/Sources/Locks/*.swift
    module LinearAlgebra "$root"/Sources/LinearAlgebra/*.swift
    module TensorFormats "$root"/Sources/TensorFormats/{Checksum,ExactText,FieldParameters,FileKind,FormatError,JSON*,Multipart,Npy,NpyHeader,NumericElements,Npz,Npz+Demand,NpzDirectory,NpzMembers,ReadingDemand,Safetensors}.swift
    out="$own"
    touch "$formats/done"
fi
# format SOURCE OBJECT…: links a fuzzer with the formats.
format() { fuzzer "$@" "$formats"/*.o -ldeflate -lopenblas -lsimdjson -lstdc++; }

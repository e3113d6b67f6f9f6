# Sourced by the build.sh of each array format: TensorFormats and what it stands on, instrumented, made once for all of them.
formats="$root/.build-fuzz/TensorFormats"
mkdir -p "$formats"
flags+=(-I "$formats" -Xcc "-fmodule-map-file=$formats/module.modulemap")
for library in CDeflate COpenBLAS CZlib; do flags+=(-Xcc "-fmodule-map-file=$root/Sources/$library/module.modulemap"); done
if [ ! -e "$formats/done" ] || [ -n "$(find "$root"/Sources/{TensorFormats,LinearAlgebra,Locks,CSimdJSON,CCompensatedSums,CStreamingStores,CBLASKernels} -type f -newer "$formats/done")" ]; then
    printf 'module %s { header "%s" export * }\n' CSimdJSON "$root/Sources/CSimdJSON/include/simdjson_face.h" \
        CCompensatedSums "$root/Sources/CCompensatedSums/include/compensated_sums.h" \
        CStreamingStores "$root/Sources/CStreamingStores/include/streaming_stores.h" \
        CBLASKernels "$root/Sources/CBLASKernels/include/blas_kernels.h" \
        CThreadSanitizer "$root/Sources/CThreadSanitizer/include/thread_sanitizer.h" > "$formats/module.modulemap"
    "${CC:-clang}" -g -O1 -ffp-contract=off -I "$root/Sources/CCompensatedSums/include" -I "$root/Sources/CInstructionSets/include" \
        -c "$root/Sources/CCompensatedSums/compensated_sums.c" -o "$formats/compensated_sums.o"
    "${CC:-clang}" -g -O1 -I "$root/Sources/CStreamingStores/include" \
        -c "$root/Sources/CStreamingStores/streaming_stores.c" -o "$formats/streaming_stores.o"
    "${CC:-clang}" -g -O1 -I "$root/Sources/CInstructionSets/include" \
        -c "$root/Sources/CInstructionSets/instruction_sets.c" -o "$formats/instruction_sets.o"
    "${CC:-clang}" -g -O1 -I "$root/Sources/CBLASKernels/include" -I "$root/Sources/CInstructionSets/include" \
        -c "$root/Sources/CBLASKernels/blas_kernels.c" -o "$formats/blas_kernels.o"
    "${CC:-clang}" -g -O1 -I "$root/Sources/CThreadSanitizer/include" -c "$root/Sources/CThreadSanitizer/thread_sanitizer.c" -o "$formats/thread_sanitizer.o"
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

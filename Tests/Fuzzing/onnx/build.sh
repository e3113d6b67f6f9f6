# shellcheck source=Tests/Fuzzing/tensor-formats.sh
. "$here/tensor-formats.sh"
mapfile -t networks < <(find "$root/Sources/FiniteNetworks" -name '*.swift')
module ONNX "$root"/Sources/ONNX/*.swift
module FiniteNetworks "${networks[@]}"
format "$here/onnx/Fuzz.swift" "$out/ONNX.o" "$out/FiniteNetworks.o"
# Files of real networks are longer than those of other formats need to be.
options+=(-max_len=100000)

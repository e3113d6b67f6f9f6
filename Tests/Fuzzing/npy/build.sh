# shellcheck source=Tests/Fuzzing/tensor-formats.sh
. "$here/tensor-formats.sh"
format "$here/npy/Fuzz.swift"

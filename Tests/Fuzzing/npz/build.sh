# shellcheck source=Tests/Fuzzing/tensor-formats.sh
. "$here/tensor-formats.sh"
format "$here/npz/Fuzz.swift"

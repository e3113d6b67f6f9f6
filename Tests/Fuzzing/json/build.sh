# The JSON reader, in C++, with UndefinedBehaviorSanitizer beside AddressSanitizer.
"${CXX:-clang++}" -std=c++17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I "$root/Sources/CSimdJSON/include" "$root"/Sources/CSimdJSON/*.cpp "$here/json/json.cpp" -lsimdjson -fuse-ld=lld -o "$out/fuzz"
options+=(-dict="$here/json/json.dict")

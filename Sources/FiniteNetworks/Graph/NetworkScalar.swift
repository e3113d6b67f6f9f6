private import Glibc
public import LinearAlgebra

/// The two precisions of networks, with the elementary functions of each.
public protocol NetworkScalar: Scalar {
    static func exp(_ x: Self) -> Self
    static func expMinusOne(_ x: Self) -> Self
    static func log(_ x: Self) -> Self
    static func logOnePlus(_ x: Self) -> Self
    static func tanh(_ x: Self) -> Self
    static func sin(_ x: Self) -> Self
    static func cos(_ x: Self) -> Self
    static func erf(_ x: Self) -> Self
    static func power(_ x: Self, _ y: Self) -> Self
    static func atan(_ x: Self) -> Self
    static func asin(_ x: Self) -> Self
    static func acos(_ x: Self) -> Self
}

extension Double: NetworkScalar {
    @inline(__always) public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    @inline(__always) public static func expMinusOne(_ x: Double) -> Double { Glibc.expm1(x) }
    @inline(__always) public static func log(_ x: Double) -> Double { Glibc.log(x) }
    @inline(__always) public static func logOnePlus(_ x: Double) -> Double { Glibc.log1p(x) }
    @inline(__always) public static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
    @inline(__always) public static func sin(_ x: Double) -> Double { Glibc.sin(x) }
    @inline(__always) public static func cos(_ x: Double) -> Double { Glibc.cos(x) }
    @inline(__always) public static func erf(_ x: Double) -> Double { Glibc.erf(x) }
    @inline(__always) public static func power(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
    @inline(__always) public static func atan(_ x: Double) -> Double { Glibc.atan(x) }
    @inline(__always) public static func asin(_ x: Double) -> Double { Glibc.asin(x) }
    @inline(__always) public static func acos(_ x: Double) -> Double { Glibc.acos(x) }
}

extension Float: NetworkScalar {
    @inline(__always) public static func exp(_ x: Float) -> Float { Glibc.expf(x) }
    @inline(__always) public static func expMinusOne(_ x: Float) -> Float { Glibc.expm1f(x) }
    @inline(__always) public static func log(_ x: Float) -> Float { Glibc.logf(x) }
    @inline(__always) public static func logOnePlus(_ x: Float) -> Float { Glibc.log1pf(x) }
    @inline(__always) public static func tanh(_ x: Float) -> Float { Glibc.tanhf(x) }
    @inline(__always) public static func sin(_ x: Float) -> Float { Glibc.sinf(x) }
    @inline(__always) public static func cos(_ x: Float) -> Float { Glibc.cosf(x) }
    @inline(__always) public static func erf(_ x: Float) -> Float { Glibc.erff(x) }
    @inline(__always) public static func power(_ x: Float, _ y: Float) -> Float { Glibc.powf(x, y) }
    @inline(__always) public static func atan(_ x: Float) -> Float { Glibc.atanf(x) }
    @inline(__always) public static func asin(_ x: Float) -> Float { Glibc.asinf(x) }
    @inline(__always) public static func acos(_ x: Float) -> Float { Glibc.acosf(x) }
}

using System.Runtime.CompilerServices;

namespace Forerun.Core.Numerics;

/// <summary>Elementary functions over sixteen lanes from +, *, fma and division alone: the same bits on every
/// machine. Pure; thread-safe.</summary>
public static class LaneMath
{
    /// <summary>2^112: what a half's bits, moved into a float's fields, lack in the exponent.</summary>
    public const float TwoToThe112 = 5.192296858534828e33f;

    /// <summary>e^x for x in [-87, 88] (clamped; not NaN), within 3 units in the last place.</summary>
    /// <remarks>x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 6; then 2^n by adding n to
    /// the exponent field. Adding 1.5·2^23 rounds to the nearest integer and leaves n in the low bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exp<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        var magic = TLanes.Create(12582912f);
        x = TLanes.Max(TLanes.Min(x, TLanes.Create(88f)), TLanes.Create(-87f));
        var biased = TLanes.MultiplyAdd(x, TLanes.Create(1.44269504f), magic);
        var n = biased - magic;
        var r = TLanes.MultiplyAdd(n, TLanes.Create(-0.693145752f), x);
        r = TLanes.MultiplyAdd(n, TLanes.Create(-1.42860677e-6f), r);
        var p = TLanes.Create(1.3888889e-3f);
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(8.3333333e-3f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(4.1666667e-2f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(0.16666667f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(0.5f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(1f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(1f));
        return TLanes.ScaleByPowerOfTwo(p, biased);
    }

    /// <summary>Natural logarithm of positive normal numbers, within 1 unit in the last place. Other inputs give some
    /// number, the same on every machine.</summary>
    /// <remarks>x = 2^e·(1 + f) with 1 + f in [√½, √2). With s = f / (2 + f), log(1 + f) = 2 artanh(s)
    /// = f - h + s(h + R) where h = f²/2 and R = 2s²/3 + 2s⁴/5 + 2s⁶/7 + 2s⁸/9.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Log<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        var e = TLanes.Exponent(x);
        var f = TLanes.ScaleByPowerOfTwo(x, TLanes.Create(12582912f) - e) - TLanes.Create(1f);
        var s = f / (TLanes.Create(2f) + f);
        var z = s * s;
        var p = TLanes.Create(2f / 9f);
        p = TLanes.MultiplyAdd(p, z, TLanes.Create(2f / 7f));
        p = TLanes.MultiplyAdd(p, z, TLanes.Create(2f / 5f));
        p = TLanes.MultiplyAdd(p, z, TLanes.Create(2f / 3f));
        var h = TLanes.Create(0.5f) * f * f;
        var tail = TLanes.MultiplyAdd(e, TLanes.Create(3.1946183e-5f), s * TLanes.MultiplyAdd(p, z, h));
        return TLanes.MultiplyAdd(e, TLanes.Create(0.693115234f), f - (h - tail));
    }
}

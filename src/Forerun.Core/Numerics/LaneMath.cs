using System.Runtime.CompilerServices;

namespace Forerun.Core.Numerics;

/// <summary>Elementary functions over sixteen lanes from +, *, fma and division alone: the same bits on every
/// machine. Pure; thread-safe.</summary>
public static class LaneMath
{
    /// <summary>2^112: what a half's bits, moved into a float's fields, lack in the exponent.</summary>
    public const float TwoToThe112 = 5.192296858534828e33f;

    /// <summary>e^x for x in [-87, 88] (clamped), about 1-2 units in the last place.</summary>
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
}
